"""The training notes' KL checks, as the notes state them.

They describe the KL term, not the latent: whether the latent works is decided
in :mod:`latentvqa.core.rules.capacity`. Where information says that it
works, nothing in here exceeds ``info``. Judged on training values, on validation
where those are absent.
"""

from __future__ import annotations

from latentvqa.core.rules import advice
from latentvqa.core.rules.information import are_answers_learnt
from latentvqa.core.rules.rule import (
    Advice,
    Judgement,
    Level,
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
from latentvqa.core.rules.thresholds import KLHealthThresholds

__all__ = ["KL_RULES", "KLHealthThresholds"]

NO_KL = NotJudged("no KL is priced in this bottleneck or stage")
NO_KL_RAW = NotJudged("the log holds no kl_raw")
NO_KL_AFTER = NotJudged("the log holds no kl_after")
NO_RECIPE = NotJudged("the notes' bands belong to their own stages, and the log names none")


def judge_collapse_check(view: RunView) -> Outcome:
    """kl_raw below the notes' collapse limit; never more than info."""
    raw = finite(kl_split(view.record).kl_raw)
    if outside := outside_recipe(view):
        return outside
    if raw is None:
        return NO_KL_RAW
    if untold := view.untold("reduction", "dims"):
        return untold
    limit = view.kl_limit(view.thresholds.collapse_kl)
    if raw >= limit:
        return None
    rest = (
        "early enough to wait" if view.is_early else "the verdict rests on information, not on this"
    )
    return Judgement(
        "info",
        f"kl_raw {figure(raw)} is below {figure(limit)}, the notes' sign of collapse: {rest}.",
        {"kl_raw": raw},
        {"collapse_kl": limit},
    )


def judge_target_table(view: RunView) -> Outcome:
    """The notes' target table: ok if both bands hold, else info."""
    if outside := outside_recipe(view):
        return outside
    split, limits = kl_split(view.record), view.thresholds
    raw, reduction = finite(split.kl_raw), finite(split.penalty_reduction)
    if raw is None or reduction is None:
        return NO_KL_RAW if raw is None else NO_KL_AFTER
    if untold := view.untold("reduction", "dims"):
        return untold
    low, high = view.kl_limit(limits.healthy_kl_low), view.kl_limit(limits.healthy_kl_high)
    is_raw_healthy = low <= raw <= high
    is_cut_healthy = limits.healthy_reduction_low <= reduction <= limits.healthy_reduction_high
    band = f"{figure(low)} to {figure(high)}"
    cut = f"{percent(limits.healthy_reduction_low)} to {percent(limits.healthy_reduction_high)}"
    return Judgement(
        "ok" if is_raw_healthy and is_cut_healthy else "info",
        f"kl_raw {figure(raw)} is {'inside' if is_raw_healthy else 'outside'} {band}, "
        f"penalty reduction {percent(reduction)} is "
        f"{'inside' if is_cut_healthy else 'outside'} {cut}: the notes' targets.",
        {"kl_raw": raw, "penalty_reduction": reduction},
        {
            "healthy_kl_low": low,
            "healthy_kl_high": high,
            "healthy_reduction_low": limits.healthy_reduction_low,
            "healthy_reduction_high": limits.healthy_reduction_high,
        },
    )


def judge_high(view: RunView) -> Outcome:
    """kl_raw above one of three limits: the penalty does not hold the posterior."""
    if outside := outside_recipe(view):
        return outside
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None:
        return NO_KL_RAW
    if untold := view.untold("reduction", "dims"):
        return untold
    limits, is_late = view.thresholds, view.is_late
    is_stuck = advice.is_validation_stuck(view)
    candidates = [("high_kl", limits.high_kl, True)]
    candidates.append(("high_kl_late", limits.high_kl_late, is_late))
    candidates.append(("high_kl_stuck", limits.high_kl_stuck, is_late and is_stuck))
    for name, threshold, applies in candidates:
        limit = view.kl_limit(threshold)
        held = raw > limit if name == "high_kl" else _is_consistent(view, above=limit)
        if applies and held:
            break
    else:
        return None
    return Judgement(
        _level(view),
        f"kl_raw {figure(raw)} is above {figure(limit)}: the penalty does not hold the "
        f"posterior{' yet (the weight is still rising)' if view.is_warming_up else ''}.",
        {"kl_raw": raw, "kl_share": kl_split(view.record).kl_share},
        {name: limit, "pressing_kl_share": limits.pressing_kl_share},
        advice.ease_kl(view) if is_late and is_stuck else None,
    )


def judge_free_bits(view: RunView) -> Outcome:
    """No penalty left, or too little of it."""
    if outside := outside_recipe(view):
        return outside
    split, limit = kl_split(view.record), view.thresholds.generous_reduction
    is_zero = counts_as_zero(split, view.thresholds)
    reduction = finite(split.penalty_reduction)
    if is_zero is None or reduction is None:
        return NO_KL_AFTER
    if untold := view.untold("free_bits"):
        return untold
    if not is_zero and reduction <= limit:
        return None
    state = "nothing" if is_zero else f"{percent(1.0 - reduction)}"
    return Judgement(
        _level(view),
        f"free_bits {figure(view.header.kl.free_bits)} leave {state} of the KL to the "
        f"penalty (reduction {percent(reduction)}).",
        {"kl_raw": split.kl_raw, "kl_after": split.kl_after, "penalty_reduction": reduction},
        {"generous_reduction": limit, "zero_kl_share": view.thresholds.zero_kl_share},
        _less_free_bits(view),
    )


def judge_persistent_free_bits(view: RunView) -> Outcome:
    """The notes' level 2: no penalty for many epochs and the KL stuck below it."""
    if outside := outside_recipe(view):
        return outside
    limits = view.thresholds
    if untold := view.untold("free_bits", "reduction", "dims"):
        return untold
    if view.index + 1 < limits.persistent_epochs:
        return None
    low, high = view.kl_limit(limits.persistent_kl_low), view.kl_limit(limits.persistent_kl_high)
    for record in view.last(limits.persistent_epochs):
        split = kl_split(record)
        raw, reduction = finite(split.kl_raw), finite(split.penalty_reduction)
        if raw is None or reduction is None:
            return NO_KL_AFTER
        is_cut = reduction > limits.persistent_reduction
        if not (is_cut and counts_as_zero(split, limits) and low <= raw <= high):
            return None
    return Judgement(
        _level(view),
        f"kl_raw stayed between {figure(low)} and {figure(high)} without any penalty for "
        f"{limits.persistent_epochs} epochs: free_bits {figure(view.header.kl.free_bits)} "
        "are generous.",
        {"kl_raw": kl_split(view.record).kl_raw},
        {
            "persistent_kl_low": low,
            "persistent_kl_high": high,
            "persistent_reduction": limits.persistent_reduction,
            "persistent_epochs": limits.persistent_epochs,
        },
        _less_free_bits(view),
    )


def judge_low_late(view: RunView) -> Outcome:
    """kl_raw still low from the tuning epoch to the end of the warm-up stage."""
    if outside := outside_recipe(view):
        return outside
    raw, limits = finite(kl_split(view.record).kl_raw), view.thresholds
    if raw is None:
        return NO_KL_RAW
    if untold := view.untold("reduction", "dims"):
        return untold
    limit = view.kl_limit(limits.low_kl_late)
    if view.record.stage != "warmup" or not view.is_late or raw >= limit:
        return None
    return Judgement(
        _level(view),
        f"kl_raw {figure(raw)} is still below {figure(limit)} at epoch {view.record.epoch}.",
        {"kl_raw": raw},
        {"low_kl_late": limit, "tuning_epoch": limits.tuning_epoch},
        _less_free_bits(view),
    )


def outside_recipe(view: RunView) -> NotJudged | None:
    """Why the notes' bands do not apply to a record, if they do not."""
    if not view.has_kl:
        return NO_KL
    return NO_RECIPE if view.record.stage == "unknown" else None


def _level(view: RunView) -> Level:
    """Info early on and where information says that the latent works."""
    return "info" if not view.is_late or are_answers_learnt(view) else "warning"


def _less_free_bits(view: RunView) -> Advice | None:
    """Lower free bits only where no information speaks: it walks into collapse."""
    is_known = are_answers_learnt(view) is not None
    raw = finite(kl_split(view.record).kl_raw)
    is_collapsing = raw is None or raw < view.kl_limit(view.thresholds.collapse_kl)
    if not view.is_late or is_known or is_collapsing or view.header.kl.free_bits <= 0.0:
        return None
    return advice.lower_free_bits(view)


def _is_consistent(view: RunView, above: float) -> bool:
    window = view.last(view.thresholds.consistent_epochs)
    raws = [finite(kl_split(record).kl_raw) for record in window]
    is_long = len(window) == view.thresholds.consistent_epochs
    return is_long and all(raw is not None and raw > above for raw in raws)


_TABLE = "training notes, item 12"
_LEVELS = "training notes, fallback levels"
_TREE = "training notes, decision tree"

KL_RULES: tuple[Rule, ...] = (
    Rule("KL001", "kl_collapse_check", _TABLE, judge_collapse_check),
    Rule("KL002", "kl_targets", _TABLE, judge_target_table),
    Rule("KL003", "kl_high", f"{_TABLE} and {_LEVELS}", judge_high),
    Rule("KL004", "free_bits_high", _TABLE, judge_free_bits),
    Rule("KL005", "free_bits_generous", _LEVELS, judge_persistent_free_bits, True),
    Rule("KL006", "kl_low_after_warmup", _TREE, judge_low_late, True),
)
