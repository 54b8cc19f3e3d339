"""Rules on the regime in which the KL term works: price, constraint or nothing.

Whether the latent works is decided elsewhere; these say what weight, free bits
and reduction can mean in this run, and whether the KL is out of hand.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from math import inf

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import NO_LATENT, are_answers_learnt
from latentvqa.core.rules.kl_checks import NO_KL, NO_KL_AFTER, NO_KL_RAW, outside_recipe
from latentvqa.core.rules.rule import (
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    counts_as_zero,
    figure,
    finite,
    kl_split,
    percent,
)


def judge_pinned(view: RunView) -> Outcome:
    """kl_raw held at free_bits: the allowance is a constraint, not a price."""
    if not view.has_kl:
        return NO_KL
    if untold := view.untold("free_bits"):
        return untold
    free_bits, limits = view.header.kl.free_bits, view.thresholds
    if free_bits <= 0.0 or view.index + 1 < limits.pinned_epochs:
        return None
    low, high = limits.pinned_low * free_bits, limits.pinned_high * free_bits
    for record in view.last(limits.pinned_epochs):
        raw = finite(kl_split(record).kl_raw)
        weight = finite(record.effective_kl_weight)
        if raw is None or weight is None:
            return NO_KL_RAW if raw is None else NotJudged("the log holds no effective weight")
        is_at = low <= raw or touches_free_bits(view, record) is True
        if weight <= 0.0 or not 0.0 <= raw <= high or not is_at:
            return None
    raw = finite(kl_split(view.record).kl_raw)
    has_learnt = are_answers_learnt(view)
    is_late = view.is_late
    return Judgement(
        "info" if has_learnt or not is_late else "warning",
        f"kl_raw {figure(raw)} follows free_bits {figure(free_bits)}: free_bits is the "
        "constraint; weight and reduction say nothing.",
        {"kl_raw": raw, "effective_kl_weight": view.record.effective_kl_weight},
        {
            "pinned_low": low,
            "pinned_high": high,
            "pinned_tail": limits.pinned_tail,
            "pinned_epochs": limits.pinned_epochs,
        },
        advice.lower_latent_noise(view) if has_learnt is False and is_late else None,
    )


def touches_free_bits(view: RunView, record: EpochRecord) -> bool | None:
    """Whether the upper end of the KL's distribution lies at free_bits.

    Under a very strong weight the mean keeps clear of the hinge, and only the
    largest values are held by it. None where no distribution was logged.
    """
    histogram = kl_split(record).kl_histogram
    if histogram is None or sum(histogram.counts) <= 0:
        return None
    least = view.thresholds.pinned_low * view.header.kl.free_bits
    first = bisect_left(histogram.edges, least) + 1
    return sum(histogram.counts[first:]) >= view.thresholds.pinned_tail * sum(histogram.counts)


def judge_warmup(view: RunView) -> Outcome:
    """The KL weight has not reached its maximum: KL values will still move."""
    if not view.has_kl:
        return NO_KL
    if untold := view.untold("max_weight", "factor"):
        return untold
    weight, full = finite(view.record.kl_weight), view.header.kl.max_weight
    if weight is None:
        return NotJudged("the log holds no KL weight")
    if not view.is_warming_up:
        return None
    factor = view.header.kl.factor
    return Judgement(
        "info",
        f"The KL is not warmed up yet: effective weight {figure(weight * factor)} of "
        f"{figure(full * factor)}.",
        {"effective_kl_weight": weight * factor},
        {"effective_kl_weight": full * factor},
    )


def judge_inactive(view: RunView) -> Outcome:
    """No price, or an allowance that the posterior does not use up."""
    if not view.has_latent:
        return NO_LATENT
    if not view.has_kl or _was_never_priced(view):
        return Judgement(
            "info",
            "The KL has no price (its weight is 0): nothing holds the posterior, and "
            "its KL says nothing about the latent.",
            {"effective_kl_weight": 0.0},
        )
    return view.untold("free_bits") or _judge_allowance(view)


def _was_never_priced(view: RunView) -> bool:
    """Whether a log that names no full weight shows none but 0."""
    weights = [finite(record.effective_kl_weight) for record in view.records[: view.index + 1]]
    is_untold = bool({"max_weight", "factor"} & set(view.header.kl.unknown))
    return is_untold and len(weights) >= view.thresholds.pinned_epochs and set(weights) == {0.0}


def _judge_allowance(view: RunView) -> Outcome:
    limits, free_bits = view.thresholds, view.header.kl.free_bits
    window = view.last(limits.pinned_epochs)
    if len(window) < limits.pinned_epochs:
        return None
    for record in window:
        split = kl_split(record)
        raw, is_zero = finite(split.kl_raw), counts_as_zero(split, limits)
        if raw is None or is_zero is None:
            return NO_KL_AFTER
        if not is_zero or raw >= limits.pinned_low * free_bits:
            return None
        if touches_free_bits(view, record):
            return None
    raw = finite(kl_split(view.record).kl_raw)
    is_harmful = are_answers_learnt(view) is False and view.is_late
    return Judgement(
        "warning" if is_harmful else "info",
        f"The penalty is inactive: kl_raw {figure(raw)} does not use up free_bits "
        f"{figure(free_bits)}, so the KL term has no gradient and its weight no effect.",
        {"kl_raw": raw, "kl_after": kl_split(view.record).kl_after},
        {"pinned_low": limits.pinned_low * free_bits, "pinned_epochs": limits.pinned_epochs},
        advice.lower_latent_noise(view) if is_harmful else None,
    )


def judge_exploding(view: RunView) -> Outcome:
    """A large KL that grows fast."""
    if not view.has_latent:
        return NO_LATENT
    limits = view.thresholds
    window = [finite(kl_split(r).kl_raw) for r in view.last(limits.consistent_epochs + 1)]
    values = [value for value in window if value is not None]
    if not values or finite(kl_split(view.record).kl_raw) is None:
        return NO_KL_RAW
    if len(values) <= limits.consistent_epochs:
        return None
    is_rising = all(later > earlier for earlier, later in pairwise(values))
    growth = values[-1] / values[0] if values[0] > 0.0 else 0.0
    is_told = view.untold("reduction", "dims") is None
    # without a convention no size is large: only a growth beyond any start counts, and late
    needed = limits.exploding_growth if is_told else limits.exploding_growth**3
    if is_told:
        is_large = values[-1] > view.kl_limit(limits.exploding_kl)
    else:
        is_large = view.index >= limits.early_epoch
    # a KL that nobody explains may rise from nothing at the start
    lowest = min(_kl_raws(view, start=0 if is_told else limits.early_epoch))
    has_exploded = values[-1] >= limits.exploded_growth * lowest
    if not (is_large and (has_exploded or (is_rising and growth >= needed))):
        return None
    is_fast = is_rising and growth >= needed
    since = f"that of {limits.consistent_epochs} epochs before" if is_fast else "its lowest"
    times = growth if is_fast else values[-1] / lowest
    hold = "let the KL weight rise sooner" if view.has_kl else "give the KL a price"
    return Judgement(
        "warning",
        f"The KL explodes: kl_raw {figure(values[-1])} is {figure(times)} times {since}. Lower "
        f"the latent's learning rate, or {hold}.",
        {"kl_raw": values[-1], "growth": growth, "lowest_kl_raw": lowest},
        {
            "exploding_kl": view.kl_limit(limits.exploding_kl),
            "exploding_growth": needed,
            "exploded_growth": limits.exploded_growth,
            "consistent_epochs": limits.consistent_epochs,
        },
        advice.lower_latent_rate(view),
    )


def judge_contradictory_targets(view: RunView) -> Outcome:
    """Free bits above the healthy band: both of the notes' targets cannot hold."""
    if outside := outside_recipe(view):
        return outside
    if untold := view.untold("free_bits", "reduction", "dims"):
        return untold
    free_bits, limits = view.header.kl.free_bits, view.thresholds
    high = view.kl_limit(limits.healthy_kl_high)
    reduction = finite(kl_split(view.record).penalty_reduction)
    if reduction is None:
        return NO_KL_AFTER
    if free_bits < high or reduction <= limits.healthy_reduction_high:
        return None
    return Judgement(
        "info",
        f"The notes' targets contradict each other here: with free_bits {figure(free_bits)} every "
        f"token inside the healthy band (up to {figure(high)}) is free, a reduction of 100 %, not "
        f"{percent(limits.healthy_reduction_low)} to {percent(limits.healthy_reduction_high)}.",
        {"free_bits": free_bits, "penalty_reduction": reduction},
        {"healthy_kl_high": high, "healthy_reduction_high": limits.healthy_reduction_high},
    )


def judge_share(view: RunView) -> Outcome:
    """The weighted KL is a large share of the loss."""
    if not view.has_kl:
        return NO_KL
    share, limits = finite(kl_split(view.record).kl_share), view.thresholds
    if share is None:
        return NotJudged("the log holds no share of the KL in the loss")
    if share <= limits.pressing_kl_share:
        return None
    is_stuck = view.is_late and advice.is_validation_stuck(view)
    is_harmful = is_stuck and not are_answers_learnt(view)
    return Judgement(
        "warning" if is_harmful else "info",
        f"The KL is {percent(share)} of the loss, above the {percent(limits.pressing_kl_share)} "
        f"that the notes aim at{' while the validation answer loss is stuck' if is_stuck else ''}.",
        {"kl_share": share},
        {"pressing_kl_share": limits.pressing_kl_share},
        advice.ease_kl(view) if is_harmful else None,
    )


def _kl_raws(view: RunView, start: int) -> list[float]:
    """Every positive kl_raw from a record up to the judged one; infinity without any."""
    raws = (finite(kl_split(record).kl_raw) for record in view.records[start : view.index + 1])
    return [raw for raw in raws if raw is not None and raw > 0.0] or [inf]


_FREE_BITS = "Kingma et al. 2016 (arXiv:1606.04934), free bits; measured in the README"
_WARMUP = "KL warm-up, Bowman et al. 2016 (arXiv:1511.06349)"
_RATE = "rate against need, as in Alemi et al. 2018 (arXiv:1711.00464)"
_WEIGHT = "training notes, why KL weight 3.0"

REGIME_RULES: tuple[Rule, ...] = (
    Rule("IN007", "pinned", _FREE_BITS, judge_pinned),
    Rule("IN008", "not_warmed_up", _WARMUP, judge_warmup),
    Rule("IN010", "penalty_inactive", _FREE_BITS, judge_inactive),
    Rule("IN011", "kl_exploding", _RATE, judge_exploding),
    Rule("IN012", "contradictory_targets", "training notes, item 12", judge_contradictory_targets),
    Rule("KL010", "kl_share_high", _WEIGHT, judge_share),
)
