"""Rules on the regime in which the KL term works: price, constraint or nothing.

Whether the latent works is decided elsewhere; these say what weight, free bits
and reduction can mean in this run.
"""

from __future__ import annotations

from bisect import bisect_left

from latentvqa.core.figures import figure, percent
from latentvqa.core.kl_precision import counts_as_zero
from latentvqa.core.records import EpochRecord
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import NO_LATENT, are_answers_learnt, is_learning_overdue
from latentvqa.core.rules.kl_checks import NO_KL, NO_KL_AFTER, NO_KL_RAW, outside_recipe
from latentvqa.core.rules.rule import (
    RULE_OF_THUMB,
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    finite,
    kl_split,
)


def judge_pinned(view: RunView) -> Outcome:
    """kl_raw held at free_bits: the allowance is a constraint, not a price."""
    if not view.has_kl:
        return NO_KL
    if missing := view.missing("free_bits"):
        return missing
    free_bits, limits = view.header.kl.free_bits, view.thresholds
    # tokens above their allowance are charged, whatever the mean of all is
    is_charged = counts_as_zero(kl_split(view.record), limits) is False
    if free_bits <= 0.0 or is_charged or view.index + 1 < limits.pinned_epochs:
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
    is_harmless = has_learnt or not view.is_late
    doubt = ", but the answers are not learnt"
    if has_learnt is None:
        doubt = ", and the log does not say whether the answers are learnt"
    return Judgement(
        "info" if is_harmless else "warning",
        f"KL at its free allowance{' (harmless)' if is_harmless else doubt}: kl_raw {figure(raw)} "
        f"stays near free_bits {figure(free_bits)}. The allowance holds it; weight and reduction "
        "then say nothing.",
        {"kl_raw": raw, "effective_kl_weight": view.record.effective_kl_weight},
        {
            "pinned_low": low,
            "pinned_high": high,
            "pinned_tail": limits.pinned_tail,
            "pinned_epochs": limits.pinned_epochs,
        },
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
    if missing := view.missing("max_weight", "factor"):
        return missing
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
    return view.missing("free_bits") or _judge_allowance(view)


def _was_never_priced(view: RunView) -> bool:
    """Whether a log that names no full weight shows none but 0."""
    weights = [finite(record.effective_kl_weight) for record in view.records[: view.index + 1]]
    is_unknown = bool({"max_weight", "factor"} & set(view.header.kl.unknown))
    return is_unknown and len(weights) >= view.thresholds.pinned_epochs and set(weights) == {0.0}


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
    return Judgement(
        "warning" if is_learning_overdue(view) else "info",
        f"The penalty is inactive: kl_raw {figure(raw)} does not use up free_bits "
        f"{figure(free_bits)}, so the KL term has no gradient and its weight no effect.",
        {"kl_raw": raw, "kl_after": kl_split(view.record).kl_after},
        {"pinned_low": limits.pinned_low * free_bits, "pinned_epochs": limits.pinned_epochs},
    )


def judge_share(view: RunView) -> Outcome:
    """The weighted KL is a large share of the loss."""
    if outside := outside_recipe(view):
        return outside
    share, limits = finite(kl_split(view.record).kl_share), view.thresholds
    if share is None:
        return NotJudged("the log holds no share of the KL in the loss")
    if share <= limits.pressing_kl_share:
        return None
    is_stuck = view.is_late and advice.is_validation_stuck(view)
    return Judgement(
        "warning" if _is_share_harmful(view) else "info",
        f"The KL is {percent(share)} of the loss, above the rule-of-thumb "
        f"{percent(limits.pressing_kl_share)}"
        f"{', while the validation answer loss is stuck' if is_stuck else ''}.",
        {"kl_share": share},
        {"pressing_kl_share": limits.pressing_kl_share},
    )


def _is_share_harmful(view: RunView) -> bool:
    is_stuck = view.is_late and advice.is_validation_stuck(view)
    return is_stuck and not are_answers_learnt(view)


_FREE_BITS = "Kingma et al. 2016 (arXiv:1606.04934), free bits; measured on our own runs"

REGIME_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN007",
        name="pinned",
        meaning="The KL sits at its free allowance: kl_raw is near free_bits.",
        why="Harmless by itself. Under a strong weight free bits act as a constraint: the KL "
        "follows whatever they are, the reduction is near 100 % and says nothing, and so does the "
        "weight. Chasing a reduction of 20 to 40 % by lowering free_bits then walks into "
        "collapse. A warning only where the answers are not learnt.",
        source=_FREE_BITS,
        rank=140,
        look_at="Look at the latent noise and at the learning rates, not at the KL.",
        judge=judge_pinned,
        thresholds=(
            "pinned_low",
            "pinned_high",
            "pinned_tail",
            "pinned_epochs",
            "zero_kl_share",
            "learnt_gain",
            "tuning_epoch",
        ),
    ),
    Rule(
        code="IN008",
        name="not_warmed_up",
        meaning="The KL weight has not reached its maximum.",
        why="KL values still move with it. Judge them after the warm-up.",
        source="KL warm-up, Bowman et al. 2016 (arXiv:1511.06349)",
        rank=160,
        judge=judge_warmup,
        next_step="Let the warm-up end before the KL is judged.",
        waits=True,
    ),
    Rule(
        code="IN010",
        name="penalty_inactive",
        meaning="The KL term has no effect: its price is 0, or the posterior does not use up its "
        "allowance.",
        why="Without a gradient neither weight nor factor matters, and the KL is what the start "
        "and the answers make it. Lowering the factor changes nothing.",
        source=_FREE_BITS,
        rank=150,
        look_at="Look at the latent noise and at the learning rates, not at the weight.",
        judge=judge_inactive,
        thresholds=("zero_kl_share", "pinned_low", "pinned_tail", "pinned_epochs"),
    ),
    Rule(
        code="KL010",
        name="kl_share_high",
        meaning="The weighted KL is a larger share of the loss than the rule of thumb allows.",
        why="Early on, and where the answer loss has become tiny, that is natural. A warning only "
        "where validation is stuck and the answers are not learnt.",
        source=RULE_OF_THUMB,
        rank=230,
        look_at="Look at what a nat of rate costs (beta), and at free_bits.",
        judge=judge_share,
        thresholds=("pressing_kl_share",),
    ),
)
