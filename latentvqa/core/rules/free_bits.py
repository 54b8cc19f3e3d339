"""Rule-of-thumb checks on free bits: how much of the KL they leave to the penalty.

Where the KL is pinned the reduction says nothing, and chasing it leads into
collapse: no change is advised.
"""

from __future__ import annotations

from latentvqa.core.figures import counted, figure, percent
from latentvqa.core.kl_precision import counts_as_zero
from latentvqa.core.rules.kl_checks import NO_KL_AFTER, check_level, outside_recipe
from latentvqa.core.rules.rule import (
    RULE_OF_THUMB,
    Judgement,
    Outcome,
    Rule,
    RunView,
    finite,
    kl_split,
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
    if missing := view.missing("free_bits"):
        return missing
    if not is_zero and reduction <= limit:
        return None
    state = "nothing" if is_zero else f"{percent(1.0 - reduction)}"
    return Judgement(
        check_level(view),
        f"free_bits {figure(view.header.kl.free_bits)} leave {state} of the KL to the "
        f"penalty (reduction {percent(reduction)}).",
        {"kl_raw": split.kl_raw, "kl_after": split.kl_after, "penalty_reduction": reduction},
        {"generous_reduction": limit, "zero_kl_share": view.thresholds.zero_kl_share},
    )


def judge_persistent_free_bits(view: RunView) -> Outcome:
    """No penalty for many epochs and the KL stuck below it."""
    if outside := outside_recipe(view):
        return outside
    limits = view.thresholds
    if missing := view.missing("free_bits", "reduction", "dims"):
        return missing
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
        check_level(view),
        f"kl_raw stayed between {figure(low)} and {figure(high)} without any penalty for "
        f"{counted(limits.persistent_epochs, 'epoch')}: free_bits "
        f"{figure(view.header.kl.free_bits)} are generous.",
        {"kl_raw": kl_split(view.record).kl_raw},
        {
            "persistent_kl_low": low,
            "persistent_kl_high": high,
            "persistent_reduction": limits.persistent_reduction,
            "persistent_epochs": limits.persistent_epochs,
        },
    )


def judge_contradictory_targets(view: RunView) -> Outcome:
    """Free bits above the healthy band: both rule-of-thumb targets cannot hold."""
    if outside := outside_recipe(view):
        return outside
    if missing := view.missing("free_bits", "reduction", "dims"):
        return missing
    free_bits, limits = view.header.kl.free_bits, view.thresholds
    high = view.kl_limit(limits.healthy_kl_high)
    reduction = finite(kl_split(view.record).penalty_reduction)
    if reduction is None:
        return NO_KL_AFTER
    if free_bits < high or reduction <= limits.healthy_reduction_high:
        return None
    return Judgement(
        "info",
        "The rule-of-thumb targets contradict each other here: with free_bits "
        f"{figure(free_bits)} every token inside the healthy band (up to {figure(high)}) is free, "
        "a reduction of 100 %, not "
        f"{percent(limits.healthy_reduction_low)} to {percent(limits.healthy_reduction_high)}.",
        {"free_bits": free_bits, "penalty_reduction": reduction},
        {"healthy_kl_high": high, "healthy_reduction_high": limits.healthy_reduction_high},
    )


FREE_BITS_RULES: tuple[Rule, ...] = (
    Rule(
        code="KL004",
        name="free_bits_high",
        meaning="Free bits leave little or nothing of the KL to the penalty.",
        why="The rule of thumb calls free_bits too high then. Where the KL sits at its free "
        "allowance (IN007) the reduction is near 100 % at any value, and lowering them leads into "
        "collapse.",
        source=RULE_OF_THUMB,
        rank=340,
        look_at="Look at how much is learnt before free_bits is changed.",
        judge=judge_free_bits,
        thresholds=("generous_reduction", "zero_kl_share", "tuning_epoch"),
        subject="kl",
    ),
    Rule(
        code="KL005",
        name="free_bits_generous",
        meaning="No penalty for many epochs, and a KL that stays far below free_bits.",
        why="The rule of thumb lowers free_bits then. That looks at the KL alone.",
        source=RULE_OF_THUMB,
        rank=350,
        look_at="Look at how much is learnt before free_bits is changed.",
        judge=judge_persistent_free_bits,
        thresholds=(
            "persistent_reduction",
            "persistent_epochs",
            "persistent_kl_low",
            "persistent_kl_high",
            "zero_kl_share",
        ),
        subject="kl",
        needs_epochs=True,
    ),
    Rule(
        code="IN012",
        name="contradictory_targets",
        meaning="free_bits lies above the healthy band, so that the two rule-of-thumb targets "
        "exclude each other.",
        why="With a hinge per token, every token inside the band is free and the reduction 100 %. "
        "A mean of hinges is never below the hinge of the mean. Trust the information measures.",
        source=RULE_OF_THUMB,
        rank=220,
        judge=judge_contradictory_targets,
        thresholds=("healthy_kl_high", "healthy_reduction_high"),
    ),
)
