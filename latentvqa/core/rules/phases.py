"""Rule-of-thumb checks of three phases of training: what is expected, and when.

Expectations, not faults: a phase that looks otherwise is a remark, and the
verdict rests on information.
"""

from __future__ import annotations

from collections.abc import Mapping

from latentvqa.core.figures import figure, percent
from latentvqa.core.rules.kl_checks import NO_KL_RAW, outside_recipe
from latentvqa.core.rules.rule import (
    RULE_OF_THUMB,
    Judgement,
    Outcome,
    Rule,
    RunView,
    finite,
    kl_split,
)


def judge_early_phase(view: RunView) -> Outcome:
    """Epochs 3 to 5: a small KL that grows, and answers that are learnt fast."""
    limits = view.thresholds
    if not limits.early_start <= view.latent_epoch <= limits.early_epoch:
        return None
    return _phase(
        view,
        f"epochs {limits.early_start} to {limits.early_epoch}",
        {"early_kl_low": limits.early_kl_low, "early_kl_high": limits.early_kl_high},
        {
            "early_reduction_low": limits.early_reduction_low,
            "early_reduction_high": limits.early_reduction_high,
        },
        max_ratio=None,
    )


def judge_late_phase(view: RunView) -> Outcome:
    """Epochs 10 to 14: a KL that has grown, a steadier reduction, no overfitting."""
    limits = view.thresholds
    if outside := outside_recipe(view):
        return outside
    is_window = limits.tuning_epoch <= view.latent_epoch <= limits.late_end
    if view.record.stage != "warmup" or not is_window:
        return None
    return _phase(
        view,
        f"epochs {limits.tuning_epoch} to {limits.late_end}",
        {"late_kl_low": limits.late_kl_low, "late_kl_high": limits.late_kl_high},
        {
            "late_reduction_low": limits.late_reduction_low,
            "late_reduction_high": limits.late_reduction_high,
        },
        max_ratio=limits.overfitting_moderate,
    )


def judge_full_phase(view: RunView) -> Outcome:
    """The full stage: a stable KL and a validation loss on its way to the target."""
    limits = view.thresholds
    if outside := outside_recipe(view):
        return outside
    if view.record.stage != "full":
        return None
    return _phase(
        view,
        "the full stage",
        {"full_kl_low": limits.full_kl_low, "full_kl_high": limits.full_kl_high},
        {},
        max_ratio=limits.overfitting_high,
    )


def _phase(
    view: RunView,
    when: str,
    band: Mapping[str, float],
    cut: Mapping[str, float],
    max_ratio: float | None,
) -> Outcome:
    """Where the epoch differs from what is expected of its phase; None if nowhere."""
    if outside := outside_recipe(view):
        return outside
    split = kl_split(view.record)
    raw, reduction = finite(split.kl_raw), finite(split.penalty_reduction)
    if raw is None:
        return NO_KL_RAW
    if missing := view.missing("reduction", "dims"):
        return missing
    low, high = (view.kl_limit(limit) for limit in band.values())
    differences = []
    if not low <= raw <= high:
        differences.append(f"kl_raw {figure(raw)} (expected {figure(low)} to {figure(high)})")
    if cut and reduction is not None:
        least, most = cut.values()
        if not least <= reduction <= most:
            wanted = f"{percent(least)} to {percent(most)}"
            differences.append(f"penalty reduction {percent(reduction)} (expected {wanted})")
    ratio, loss = finite(view.record.overfitting_ratio), finite(view.record.val.answer_loss)
    is_judged = loss is not None and loss > view.thresholds.overfitting_min_loss
    if max_ratio is not None and is_judged and ratio is not None and ratio > max_ratio:
        differences.append(f"overfit ratio {figure(ratio)} (at most {figure(max_ratio)})")
    if not differences:
        return None
    return Judgement(
        "info",
        f"Not as the rule of thumb expects in {when}: {'; '.join(differences)}.",
        {"kl_raw": raw, "penalty_reduction": reduction, "overfitting_ratio": ratio},
        {**dict(zip(band, (low, high), strict=True)), **cut},
    )


PHASE_RULES: tuple[Rule, ...] = (
    Rule(
        code="KL007",
        name="phase_early",
        meaning="The first epochs with a latent (3 to 5) are not as the rule of thumb expects.",
        why="A remark for the live view; the KL is still growing, and the reduction varies.",
        source=RULE_OF_THUMB,
        rank=370,
        judge=judge_early_phase,
        thresholds=(
            "early_start",
            "early_epoch",
            "early_kl_low",
            "early_kl_high",
            "early_reduction_low",
            "early_reduction_high",
        ),
        needs_epochs=True,
    ),
    Rule(
        code="KL008",
        name="phase_late",
        meaning="The end of the warm-up (epochs 10 to 14) is not as the rule of thumb expects.",
        why="A remark before the full stage begins.",
        source=RULE_OF_THUMB,
        rank=380,
        judge=judge_late_phase,
        thresholds=(
            "tuning_epoch",
            "late_end",
            "late_kl_low",
            "late_kl_high",
            "late_reduction_low",
            "late_reduction_high",
            "overfitting_moderate",
            "overfitting_min_loss",
        ),
        needs_epochs=True,
    ),
    Rule(
        code="KL009",
        name="phase_full",
        meaning="The full stage is not as the rule of thumb expects.",
        why="A remark: a stable KL and a validation loss on its way to the target are expected.",
        source=RULE_OF_THUMB,
        rank=390,
        judge=judge_full_phase,
        thresholds=("full_kl_low", "full_kl_high", "overfitting_high", "overfitting_min_loss"),
        needs_epochs=True,
    ),
)
