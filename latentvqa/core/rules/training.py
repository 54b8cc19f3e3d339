"""Rules on the answer loss: learning, plateau, overfitting, target.

The KL is none of their business.
"""

from __future__ import annotations

from latentvqa.core.figures import counted, figure, percent
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import are_answers_learnt, may_still_pass
from latentvqa.core.rules.rule import (
    RULE_OF_THUMB,
    Judgement,
    Level,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    finite,
)

NO_ANSWER_LOSS = NotJudged("the log holds no answer loss")


def judge_answer_loss(view: RunView) -> Outcome:
    """Training answer loss that has hardly fallen since the first epoch."""
    limits = view.thresholds
    losses = [finite(record.train.answer_loss) for record in view.records[: view.index + 1]]
    known = [loss for loss in losses if loss is not None]
    if losses[0] is None or losses[-1] is None:
        return NO_ANSWER_LOSS
    first, best = losses[0], min(known)
    is_late = view.record.epoch - view.records[0].epoch >= limits.early_epoch
    needed = (1.0 - limits.learning_min_decrease) * first
    if not is_late or best <= needed or 0.0 <= best <= limits.overfitting_min_loss or first < 0.0:
        return None
    if view.record.stage == "unknown":
        return NotJudged("a reconstruction loss of another tool may hold a constant of any size")
    return Judgement(
        "warning",
        f"Training answer loss has not fallen: {figure(best)} at best, {figure(first)} in the "
        "first epoch.",
        {"best_answer_loss": best, "first_answer_loss": first},
        {"learning_min_decrease": limits.learning_min_decrease, "early_epoch": limits.early_epoch},
    )


def judge_plateau(view: RunView) -> Outcome:
    """Validation answer loss without a new best for many epochs, not before tuning."""
    limits, best = view.thresholds, view.best_val[view.index]
    loss = finite(view.record.val.answer_loss)
    if best is None or loss is None:
        return NO_ANSWER_LOSS
    if not view.is_late or 0.0 <= loss <= limits.overfitting_min_loss:
        return None
    if not advice.is_validation_stuck(view):
        return None
    held, target = view.records[best], _target(view)
    aim = "" if target is None else f", target {figure(target)}"
    return Judgement(
        "info" if _is_plateau_good(view) else "warning",
        "Validation answer loss has not improved for "
        f"{counted(view.record.epoch - held.epoch, 'epoch')}: "
        f"best {figure(held.val.answer_loss)} at epoch {held.epoch}{aim}.",
        {"best_answer_loss": held.val.answer_loss, "answer_loss": loss},
        {"plateau_epochs": limits.plateau_epochs, "target": target},
    )


def judge_overfitting(view: RunView) -> Outcome:
    """Validation far above training, where the loss matters and has risen."""
    limits, best = view.thresholds, view.best_val[view.index]
    val, ratio = finite(view.record.val.answer_loss), finite(view.record.overfitting_ratio)
    if best is None or val is None or ratio is None:
        return NO_ANSWER_LOSS
    if val < 0.0 or ratio < 0.0:
        return NotJudged("a negative loss has no ratio to training's")
    if _has_other_scale(view):
        return NotJudged("training and validation loss begin on different scales")
    lowest = view.records[best].val.answer_loss or 0.0
    has_risen = val >= (1.0 + limits.overfitting_min_rise) * lowest
    if val <= limits.overfitting_min_loss or not has_risen or ratio < limits.overfitting_moderate:
        return None
    steps: tuple[tuple[float, Level, str], ...] = (
        (limits.overfitting_act, "warning", "act"),
        (limits.overfitting_high, "warning", "high"),
        (limits.overfitting_moderate, "info", "moderate"),
    )
    limit, level, word = next(step for step in steps if ratio >= step[0])
    return Judgement(
        level,
        f"Overfitting ({word}): overfit ratio {figure(ratio)} (validation answer loss "
        f"{figure(val)} over training's), and validation is "
        f"{percent((val - lowest) / lowest if lowest else None)} above its best.",
        {"overfitting_ratio": ratio, "answer_loss": val, "best_answer_loss": lowest}
        | {"total_loss_ratio": _total_ratio(view)},
        {
            "overfitting_ratio": limit,
            "overfitting_min_loss": limits.overfitting_min_loss,
            "overfitting_min_rise": limits.overfitting_min_rise,
        },
        is_early=may_still_pass(view),
    )


def judge_decoder_rate(view: RunView) -> Outcome:
    """Training fell very fast, validation stopped early, and the gap is wide."""
    limits, best = view.thresholds, view.best_val[view.index]
    val, ratio = finite(view.record.val.answer_loss), finite(view.record.overfitting_ratio)
    if best is None or val is None or ratio is None:
        return NO_ANSWER_LOSS
    if view.record.stage == "unknown":
        return NotJudged("another tool's loss is fast at no value that is known")
    is_stuck = advice.is_validation_stuck(view) and val > limits.overfitting_min_loss
    stopped_early = view.records[best].epoch < limits.tuning_epoch
    if not (is_stuck and stopped_early and _was_fast(view)):
        return None
    if not view.is_late or ratio <= limits.overfitting_high:
        return None
    return Judgement(
        "warning",
        f"The decoder learns too fast: training answer loss fell below "
        f"{figure(limits.fast_train_loss)} by epoch {limits.early_epoch}, validation was best at "
        f"epoch {view.records[best].epoch}, and the overfit ratio is {figure(ratio)} now.",
        {"answer_loss": val, "overfitting_ratio": ratio},
        {
            "fast_train_loss": limits.fast_train_loss,
            "overfitting_ratio": limits.overfitting_high,
            "plateau_epochs": limits.plateau_epochs,
        },
    )


def judge_target(view: RunView) -> Outcome:
    """The target loss is not reached by the epoch at which it should be."""
    limits, best = view.thresholds, view.best_val[view.index]
    if best is None or view.record.epoch < limits.target_epoch:
        return NO_ANSWER_LOSS if best is None else None
    lowest, target = view.records[best].val.answer_loss, _target(view)
    if target is None:
        return NotJudged("the log names no target loss")
    if lowest is None or lowest < target or not advice.is_validation_stuck(view):
        return None
    return Judgement(
        "warning",
        f"Validation answer loss is stuck at {figure(lowest)}, above the target "
        f"{figure(target)}, at epoch {view.record.epoch}.",
        {"best_answer_loss": lowest},
        {"target": target, "target_epoch": limits.target_epoch},
    )


def _was_fast(view: RunView) -> bool:
    """Whether training answer loss was very low within the early epochs."""
    early = (r for r in view.records[: view.index + 1] if r.epoch <= view.thresholds.early_epoch)
    losses = (finite(record.train.answer_loss) for record in early)
    return any(loss is not None and loss < view.thresholds.fast_train_loss for loss in losses)


def _has_other_scale(view: RunView) -> bool:
    """Whether another tool's losses were apart by more than overfitting from the start."""
    ratios = (finite(record.overfitting_ratio) for record in view.records[: view.index + 1])
    first = next((ratio for ratio in ratios if ratio is not None), 1.0)
    limit = view.thresholds.overfitting_moderate
    return view.record.stage == "unknown" and not 1.0 / limit < first < limit


def _target(view: RunView) -> float | None:
    """The loss aimed at; that of the rule of thumb only for logs of its recipe."""
    if view.header.target is not None:
        return view.header.target
    return None if view.record.stage == "unknown" else view.thresholds.target_loss


def _total_ratio(view: RunView) -> float | None:
    train, val = finite(view.record.train.total_loss), finite(view.record.val.total_loss)
    return None if val is None or not train else val / train


def _is_plateau_good(view: RunView) -> bool:
    """Whether validation stands still below its target, with nothing known to be unlearnt.

    A run of another tool names no target: that it has settled is no fault.
    """
    if view.record.stage == "unknown" and _target(view) is None:
        return are_answers_learnt(view) is not False
    best, target = view.best_val[view.index], _target(view)
    lowest = None if best is None else view.records[best].val.answer_loss
    is_below = lowest is not None and target is not None and lowest < target
    return is_below and are_answers_learnt(view) is not False


TRAINING_RULES: tuple[Rule, ...] = (
    Rule(
        code="TR001",
        name="answer_loss_not_decreasing",
        meaning="Training answer loss has hardly fallen since the first epoch.",
        why="A bug, or too low a rate. What cannot overfit ten examples is broken.",
        source=RULE_OF_THUMB,
        rank=270,
        look_at="Look at the learning rates, and whether ten examples can be overfitted.",
        judge=judge_answer_loss,
        thresholds=("learning_min_decrease", "early_epoch", "overfitting_min_loss"),
        needs_epochs=True,
    ),
    Rule(
        code="TR002",
        name="validation_plateau",
        meaning="Validation answer loss has had no new best for many epochs.",
        why="Not judged before epoch 10.",
        source=RULE_OF_THUMB,
        rank=280,
        look_at="Look at overfitting, at the data, and in the full stage at the teacher.",
        judge=judge_plateau,
        thresholds=("plateau_epochs", "tuning_epoch", "overfitting_min_loss", "target_loss"),
        needs_epochs=True,
    ),
    Rule(
        code="TR003",
        name="overfitting",
        meaning="The overfit ratio (validation over training answer loss) is high, and validation "
        "has risen over its best.",
        why="The rule of thumb lowers the KL weight; that is the one thing that does not help, "
        "since the KL regularises. Not judged where "
        "the loss is tiny or has not risen, since a ratio of two small numbers says nothing.",
        source=RULE_OF_THUMB,
        rank=130,
        look_at="Look at how much data there is, at dropout, and in the full stage at the teacher.",
        judge=judge_overfitting,
        thresholds=(
            "overfitting_moderate",
            "overfitting_high",
            "overfitting_act",
            "overfitting_min_loss",
            "overfitting_min_rise",
            "early_epoch",
        ),
    ),
    Rule(
        code="TR004",
        name="decoder_rate_high",
        meaning="Training answer loss fell very fast, validation stopped early, and the gap is "
        "wide.",
        why="The rule of thumb slows the decoder; with little data the others overfit as well.",
        source=RULE_OF_THUMB,
        rank=290,
        look_at="Look at the decoder's rate against the others, and at how much data there is.",
        judge=judge_decoder_rate,
        thresholds=(
            "fast_train_loss",
            "early_epoch",
            "overfitting_high",
            "plateau_epochs",
            "tuning_epoch",
        ),
        needs_epochs=True,
    ),
    Rule(
        code="TR006",
        name="target_missed",
        meaning="The target loss is not reached when it should be, and validation is stuck.",
        why="The rule of thumb lowers the KL factor first.",
        source=RULE_OF_THUMB,
        rank=300,
        look_at="Look at the KL's share of the loss; if all else is healthy, at the data.",
        judge=judge_target,
        thresholds=("target_epoch", "target_loss", "plateau_epochs"),
        needs_epochs=True,
    ),
)
