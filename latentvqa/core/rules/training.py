"""The training notes' checks on the answer loss.

The KL is none of their business, with one exception: advice on a stuck loss may
name the KL factor, where its preconditions hold.
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
    figure,
    finite,
    percent,
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
    if view.record.stage == "unknown" and _has_weight_risen(view):
        return NotJudged("the KL weight rose meanwhile, which may hold the answer loss up")
    return Judgement(
        "warning",
        f"Training answer loss has not fallen: {figure(best)} at best, {figure(first)} in the "
        "first epoch. The decoder's rate is too low, or regularisation too strong.",
        {"best_answer_loss": best, "first_answer_loss": first},
        {"learning_min_decrease": limits.learning_min_decrease, "early_epoch": limits.early_epoch},
        advice.raise_decoder_rate(view),
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
    lowest = held.val.answer_loss
    is_below = lowest is not None and target is not None and lowest < target
    aim = "" if target is None else f", target {figure(target)}"
    level: Level = "info" if is_below and are_answers_learnt(view) is not False else "warning"
    return Judgement(
        level,
        f"Validation answer loss has not improved for {view.record.epoch - held.epoch} epochs: "
        f"best {figure(lowest)} at epoch {held.epoch}{aim}.",
        {"best_answer_loss": held.val.answer_loss, "answer_loss": loss},
        {"plateau_epochs": limits.plateau_epochs, "target": target},
        advice.tuning_advice(view) if level == "warning" else None,
    )


def judge_overfitting(view: RunView) -> Outcome:
    """Validation far above training, where the loss matters and has risen."""
    limits, best = view.thresholds, view.best_val[view.index]
    val, ratio = finite(view.record.val.answer_loss), finite(view.record.overfitting_ratio)
    if best is None or val is None or ratio is None:
        return NO_ANSWER_LOSS
    if val < 0.0 or ratio < 0.0:
        return NotJudged("a negative loss has no ratio to training's")
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
        f"Overfitting ({word}): validation answer loss {figure(val)} is {figure(ratio)} times "
        f"training's and {percent((val - lowest) / lowest if lowest else None)} above its best.",
        {"overfitting_ratio": ratio, "answer_loss": val, "best_answer_loss": lowest}
        | {"total_loss_ratio": _total_ratio(view)},
        {
            "overfitting_ratio": limit,
            "overfitting_min_loss": limits.overfitting_min_loss,
            "overfitting_min_rise": limits.overfitting_min_rise,
        },
        _less_fitting(view) if level == "warning" else None,
    )


def judge_decoder_rate(view: RunView) -> Outcome:
    """The notes' level 3: training fell very fast, validation stopped early, and a wide gap."""
    limits, best = view.thresholds, view.best_val[view.index]
    val, ratio = finite(view.record.val.answer_loss), finite(view.record.overfitting_ratio)
    if best is None or val is None or ratio is None:
        return NO_ANSWER_LOSS
    is_stuck = advice.is_validation_stuck(view) and val > limits.overfitting_min_loss
    stopped_early = view.records[best].epoch < limits.tuning_epoch
    if not (is_stuck and stopped_early and advice.was_fast(view)):
        return None
    if not view.is_late or ratio <= limits.overfitting_high:
        return None
    return Judgement(
        "warning",
        f"The decoder learns too fast: training answer loss fell below "
        f"{figure(limits.fast_train_loss)} by epoch {limits.early_epoch}, validation was best at "
        f"epoch {view.records[best].epoch} and is {figure(ratio)} times training's now.",
        {"answer_loss": val, "overfitting_ratio": ratio},
        {
            "fast_train_loss": limits.fast_train_loss,
            "overfitting_ratio": limits.overfitting_high,
            "plateau_epochs": limits.plateau_epochs,
        },
        advice.lower_decoder_rate(view),
    )


def judge_over_constraint(view: RunView) -> Outcome:
    """Three forces at once in the full stage: KL, teacher and a fast decoder."""
    record, limits = view.record, view.thresholds
    if record.stage == "unknown":
        return NotJudged("the log does not name its stages")
    train, val = finite(record.train.answer_loss), finite(record.val.answer_loss)
    if train is None or val is None:
        return NO_ANSWER_LOSS
    if view.header.teacher_weight is None:
        return NotJudged("the log does not say the teacher's weight")
    has_forces = record.stage == "full" and view.has_kl and view.header.teacher_weight > 0.0
    is_stuck = advice.is_validation_stuck(view) and val > limits.overfitting_min_loss
    if not (has_forces and is_stuck and train < limits.fast_train_loss):
        return None
    return Judgement(
        "info" if are_answers_learnt(view) else "warning",
        f"KL, teacher and a fast decoder pull at once: training answer loss is {figure(train)}, "
        f"validation stuck at {figure(val)}. Ease the teacher first, then the KL, then the "
        "decoder's rate, one at a time.",
        {"train_answer_loss": train, "answer_loss": val},
        {"fast_train_loss": limits.fast_train_loss, "plateau_epochs": limits.plateau_epochs},
        advice.tuning_advice(view),
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
    factor = advice.ease_kl(view)
    rest = "The KL is a large share of the loss." if factor else "Look at the data next."
    return Judgement(
        "warning",
        f"Validation answer loss is stuck at {figure(lowest)}, above the target "
        f"{figure(target)}, at epoch {view.record.epoch}. {rest}",
        {"best_answer_loss": lowest},
        {"target": target, "target_epoch": limits.target_epoch},
        factor,
    )


def _has_weight_risen(view: RunView) -> bool:
    first, last = (finite(record.effective_kl_weight) for record in (view.records[0], view.record))
    return first is not None and last is not None and last > first


def _target(view: RunView) -> float | None:
    """The loss aimed at; the notes' only for logs of their recipe."""
    if view.header.target is not None:
        return view.header.target
    return None if view.record.stage == "unknown" else view.thresholds.target_loss


def _less_fitting(view: RunView) -> Advice | None:
    """The teacher, then the decoder's rate; never less KL. Not before the tuning epoch."""
    if not view.is_late:
        return None
    return advice.lower_teacher(view) or advice.lower_decoder_rate(view)


def _total_ratio(view: RunView) -> float | None:
    train, val = finite(view.record.train.total_loss), finite(view.record.val.total_loss)
    return None if val is None or not train else val / train


_NOTES = "training notes, warning signs"
_LEVELS = "training notes, fallback level 3"
_FORCES = "training notes, three-force problem"
_TREE = "training notes, decision tree after epoch 20"

TRAINING_RULES: tuple[Rule, ...] = (
    Rule("TR001", "answer_loss_not_decreasing", _NOTES, judge_answer_loss, True),
    Rule("TR002", "validation_plateau", _NOTES, judge_plateau, True),
    Rule("TR003", "overfitting", _NOTES, judge_overfitting),
    Rule("TR004", "decoder_rate_high", _LEVELS, judge_decoder_rate, True),
    Rule("TR005", "over_constraint", _FORCES, judge_over_constraint, True),
    Rule("TR006", "target_missed", _TREE, judge_target, True),
)
