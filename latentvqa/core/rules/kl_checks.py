"""Rule-of-thumb checks on the KL alone: its bands and limits.

They describe the KL term, not the latent: whether the latent works is decided
in :mod:`latentvqa.core.rules.capacity`. Where information says that it
works, nothing in here exceeds ``info``. Judged on training values, on validation
where those are absent.
"""

from __future__ import annotations

from latentvqa.core.figures import figure, percent
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import are_answers_learnt
from latentvqa.core.rules.rule import (
    RULE_OF_THUMB,
    Judgement,
    Level,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    finite,
    kl_split,
)

NO_KL = NotJudged("no KL is priced in this bottleneck or stage")
NO_KL_RAW = NotJudged("the log holds no kl_raw")
NO_KL_AFTER = NotJudged("the log holds no kl_after")
NO_STAGE = NotJudged("the rule-of-thumb bands belong to their own stages, and the log names none")


def judge_collapse_check(view: RunView) -> Outcome:
    """kl_raw below its collapse limit; never more than info."""
    raw = finite(kl_split(view.record).kl_raw)
    if outside := outside_recipe(view):
        return outside
    if raw is None:
        return NO_KL_RAW
    if missing := view.missing("reduction", "dims"):
        return missing
    limit = view.kl_limit(view.thresholds.collapse_kl)
    if raw >= limit:
        return None
    rest = (
        "early enough to wait" if view.is_early else "the verdict rests on information, not on this"
    )
    return Judgement(
        "info",
        f"kl_raw {figure(raw)} is below {figure(limit)}, the rule-of-thumb sign of collapse: "
        f"{rest}.",
        {"kl_raw": raw},
        {"collapse_kl": limit},
    )


def judge_target_table(view: RunView) -> Outcome:
    """The target table: ok if both bands hold, else info."""
    if outside := outside_recipe(view):
        return outside
    split, limits = kl_split(view.record), view.thresholds
    raw, reduction = finite(split.kl_raw), finite(split.penalty_reduction)
    if raw is None or reduction is None:
        return NO_KL_RAW if raw is None else NO_KL_AFTER
    if missing := view.missing("reduction", "dims"):
        return missing
    low, high = view.kl_limit(limits.healthy_kl_low), view.kl_limit(limits.healthy_kl_high)
    is_raw_healthy = low <= raw <= high
    is_cut_healthy = limits.healthy_reduction_low <= reduction <= limits.healthy_reduction_high
    band = f"{figure(low)} to {figure(high)}"
    cut = f"{percent(limits.healthy_reduction_low)} to {percent(limits.healthy_reduction_high)}"
    return Judgement(
        "ok" if is_raw_healthy and is_cut_healthy else "info",
        f"Rule-of-thumb targets: kl_raw {figure(raw)} is "
        f"{'inside' if is_raw_healthy else 'outside'} {band}, penalty reduction "
        f"{percent(reduction)} is {'inside' if is_cut_healthy else 'outside'} {cut}.",
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
    if missing := view.missing("reduction", "dims"):
        return missing
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
        check_level(view),
        f"kl_raw {figure(raw)} is above {figure(limit)}: the penalty does not hold the "
        f"posterior{' yet (the weight is still rising)' if view.is_warming_up else ''}.",
        {"kl_raw": raw, "kl_share": kl_split(view.record).kl_share},
        {name: limit},
    )


def judge_low_late(view: RunView) -> Outcome:
    """kl_raw still low from the tuning epoch to the end of the warm-up stage."""
    if outside := outside_recipe(view):
        return outside
    raw, limits = finite(kl_split(view.record).kl_raw), view.thresholds
    if raw is None:
        return NO_KL_RAW
    if missing := view.missing("reduction", "dims"):
        return missing
    limit = view.kl_limit(limits.low_kl_late)
    if view.record.stage != "warmup" or not view.is_late or raw >= limit:
        return None
    return Judgement(
        check_level(view),
        f"kl_raw {figure(raw)} is still below {figure(limit)} at epoch {view.record.epoch}.",
        {"kl_raw": raw},
        {"low_kl_late": limit, "tuning_epoch": limits.tuning_epoch},
    )


def outside_recipe(view: RunView) -> NotJudged | None:
    """Why the bands do not apply to a record, if they do not."""
    if not view.has_kl:
        return NO_KL
    return NO_STAGE if view.record.stage == "unknown" else None


def check_level(view: RunView) -> Level:
    """Info early on and where information says that the latent works."""
    return "info" if not view.is_late or are_answers_learnt(view) else "warning"


def _is_consistent(view: RunView, above: float) -> bool:
    window = view.last(view.thresholds.consistent_epochs)
    raws = [finite(kl_split(record).kl_raw) for record in window]
    is_long = len(window) == view.thresholds.consistent_epochs
    return is_long and all(raw is not None and raw > above for raw in raws)


KL_RULES: tuple[Rule, ...] = (
    Rule(
        code="KL001",
        name="kl_collapse_check",
        meaning="kl_raw is below the rule-of-thumb sign of collapse.",
        why="Never more than a remark: a latent can carry every answer at a very small mean KL, "
        "since answers need one or two nats and the mean runs over hundreds of dimensions.",
        source=RULE_OF_THUMB,
        rank=310,
        judge=judge_collapse_check,
        thresholds=("collapse_kl", "early_epoch"),
        subject="kl",
    ),
    Rule(
        code="KL002",
        name="kl_targets",
        meaning="The rule-of-thumb targets: kl_raw and penalty reduction in their healthy bands.",
        why="Where free_bits lies above the band both cannot hold (IN012).",
        source=RULE_OF_THUMB,
        rank=320,
        judge=judge_target_table,
        thresholds=(
            "healthy_kl_low",
            "healthy_kl_high",
            "healthy_reduction_low",
            "healthy_reduction_high",
        ),
        subject="kl",
    ),
    Rule(
        code="KL003",
        name="kl_high",
        meaning="kl_raw is high: the penalty does not hold the posterior.",
        why="The rule of thumb calls this over-regularisation and lowers the weight, which raises "
        "the KL further.",
        source=RULE_OF_THUMB,
        rank=330,
        look_at="Look at how much is learnt, and at the KL's share of the loss.",
        judge=judge_high,
        thresholds=(
            "high_kl",
            "high_kl_late",
            "high_kl_stuck",
            "consistent_epochs",
        ),
        subject="kl",
    ),
    Rule(
        code="KL006",
        name="kl_low_after_warmup",
        meaning="kl_raw is still low when the warm-up stage is nearly over.",
        why="A check for the last epochs of the warm-up. Where the answers are learnt it means "
        "nothing.",
        source=RULE_OF_THUMB,
        rank=360,
        look_at="Look at how much is learnt before anything about the KL is changed.",
        judge=judge_low_late,
        thresholds=("low_kl_late", "tuning_epoch"),
        subject="kl",
        needs_epochs=True,
    ),
)
