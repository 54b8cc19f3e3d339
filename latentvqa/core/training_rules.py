"""The training notes' checks on the answer loss and on the teacher.

The KL is none of their business, with one exception: advice on a stuck loss may
name the KL factor, where its preconditions hold.
"""

from __future__ import annotations

from typing import Literal

from latentvqa.core import advice
from latentvqa.core.findings import (
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
from latentvqa.core.information import are_answers_learnt

NO_ANSWER_LOSS = NotJudged("the log holds no answer loss")

TeacherState = Literal[
    "off", "idle", "nothing_to_prefer", "already_preferred", "no_gradient", "active"
]


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
    if not is_late or best <= needed or best <= limits.overfitting_min_loss:
        return None
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
    if view.record.epoch < limits.tuning_epoch or loss <= limits.overfitting_min_loss:
        return None
    if not advice.is_validation_stuck(view):
        return None
    held = view.records[best]
    target = view.header.target if view.header.target is not None else limits.target_loss
    is_below = held.val.answer_loss is not None and held.val.answer_loss < target
    level: Level = "info" if is_below and are_answers_learnt(view) is not False else "warning"
    return Judgement(
        level,
        f"Validation answer loss has not improved for {view.record.epoch - held.epoch} epochs: "
        f"best {figure(held.val.answer_loss)} at epoch {held.epoch}, target {figure(target)}.",
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


def teacher_state(view: RunView) -> TeacherState | NotJudged | None:
    """Why the teacher's loss is 0, told apart by counts; None outside the full stage."""
    record = view.record
    if record.stage != "full":
        return None
    weight, loss, counts = view.header.teacher_weight, record.train.teacher_loss, record.teacher
    if weight == 0.0:
        return "off"
    if loss is not None and loss != 0.0:
        return "active"
    if counts is None:
        is_known = weight is not None and loss is not None
        return "idle" if is_known else NotJudged("the log holds no teacher loss or pair counts")
    stages: tuple[tuple[TeacherState, int], ...] = (
        ("idle", counts.compared),
        ("nothing_to_prefer", counts.differing),
        ("already_preferred", counts.violating),
    )
    return next((state for state, pairs in stages if pairs == 0), "no_gradient")


def _teacher_rule(code: str, state: TeacherState, level: Level, sentence: str) -> Rule:
    def judge(view: RunView) -> Outcome:
        seen = teacher_state(view)
        if isinstance(seen, NotJudged) or seen != state:
            return seen if isinstance(seen, NotJudged) else None
        counts = view.record.teacher
        observed: dict[str, float | int | None] = {"teacher_loss": view.record.train.teacher_loss}
        if counts is not None:
            observed |= {"compared": counts.compared, "differing": counts.differing}
            observed |= {"violating": counts.violating}
        return Judgement(level, sentence, observed, {})

    return Rule(code, f"teacher_{state}", "training notes, decision tree; pair counts", judge)


def _less_fitting(view: RunView) -> str | None:
    """The teacher, then the decoder's rate; never less KL. Not before the tuning epoch."""
    if view.record.epoch < view.thresholds.tuning_epoch:
        return None
    return advice.lower_teacher(view) or advice.lower_decoder_rate(view)


def _total_ratio(view: RunView) -> float | None:
    train, val = finite(view.record.train.total_loss), finite(view.record.val.total_loss)
    return None if val is None or not train else val / train


_NOTES = "training notes, warning signs"

TRAINING_RULES: tuple[Rule, ...] = (
    Rule("TR001", "answer_loss_not_decreasing", _NOTES, judge_answer_loss),
    Rule("TR002", "validation_plateau", _NOTES, judge_plateau),
    Rule("TR003", "overfitting", _NOTES, judge_overfitting),
    _teacher_rule("TE001", "off", "info", "The teacher is off: its weight is 0."),
    _teacher_rule(
        "TE002",
        "idle",
        "warning",
        "The teacher is on but compared no pair: it is not wired into the full stage.",
    ),
    _teacher_rule(
        "TE003",
        "nothing_to_prefer",
        "info",
        "The teacher compared pairs, but none differed in score: nothing to prefer.",
    ),
    _teacher_rule(
        "TE004",
        "already_preferred",
        "info",
        "The teacher found pairs that differ, and the model already prefers the better answers.",
    ),
    _teacher_rule(
        "TE005",
        "no_gradient",
        "warning",
        "Pairs violate the teacher's margin, yet its loss is 0: it contributes no gradient.",
    ),
)
