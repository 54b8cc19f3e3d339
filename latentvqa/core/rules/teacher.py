"""Rules on the teacher: whether it works, and whether it is one force too many.

A teacher loss of 0 is a fault only where pairs that should teach do not; its
pair counts say which of four causes it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from latentvqa.core.figures import figure
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
)

TeacherState = Literal[
    "off", "idle", "nothing_to_prefer", "already_preferred", "no_gradient", "active"
]


def teacher_state(view: RunView) -> TeacherState | NotJudged | None:
    """Why the teacher's loss is 0, by its counts; None outside the full stage."""
    record = view.record
    if record.stage == "unknown":
        return NotJudged("the log does not name its stages")
    if record.stage != "full":
        return None
    weight, loss, counts = view.header.teacher_weight, record.train.teacher_loss, record.teacher
    if weight == 0.0:
        return "off"
    if loss is not None and loss != 0.0:
        return "active"
    if counts is None:
        return NotJudged("the log holds no teacher loss or pair counts") if loss is None else "idle"
    stages: tuple[tuple[TeacherState, int], ...] = (
        ("idle", counts.compared),
        ("nothing_to_prefer", counts.differing),
        ("already_preferred", counts.violating),
    )
    return next((state for state, pairs in stages if pairs == 0), "no_gradient")


def judge_over_constraint(view: RunView) -> Outcome:
    """Three forces at once in the full stage: KL, teacher and a fast decoder."""
    record, limits = view.record, view.thresholds
    if record.stage == "unknown":
        return NotJudged("the log does not name its stages")
    train, val = finite(record.train.answer_loss), finite(record.val.answer_loss)
    if train is None or val is None:
        return NotJudged("the log holds no answer loss")
    if view.header.teacher_weight is None:
        return NotJudged("the log does not say the teacher's weight")
    has_forces = record.stage == "full" and view.has_kl and view.header.teacher_weight > 0.0
    is_stuck = advice.is_validation_stuck(view) and val > limits.overfitting_min_loss
    if not (has_forces and is_stuck and train < limits.fast_train_loss):
        return None
    return Judgement(
        "info" if are_answers_learnt(view) else "warning",
        f"KL, teacher and a fast decoder pull at once: training answer loss is {figure(train)}, "
        f"validation stuck at {figure(val)}.",
        {"train_answer_loss": train, "answer_loss": val},
        {"fast_train_loss": limits.fast_train_loss, "plateau_epochs": limits.plateau_epochs},
    )


def _judge_state(
    state: TeacherState, level: Level, sentence: str, uncounted: str = ""
) -> Callable[[RunView], Outcome]:
    """A judge of one state; ``uncounted`` speaks where the log holds no pair counts."""

    def judge(view: RunView) -> Outcome:
        seen = teacher_state(view)
        if isinstance(seen, NotJudged) or seen != state:
            return seen if isinstance(seen, NotJudged) else None
        counts = view.record.teacher
        observed: dict[str, float | int | None] = {"teacher_loss": view.record.train.teacher_loss}
        if counts is not None:
            observed |= {"compared": counts.compared, "differing": counts.differing}
            observed |= {"violating": counts.violating}
        return Judgement(level, sentence if counts is not None else uncounted or sentence, observed)

    return judge


_COUNTS = f"{RULE_OF_THUMB}; pair counts"

TEACHER_RULES: tuple[Rule, ...] = (
    Rule(
        code="TE001",
        name="teacher_off",
        meaning="The teacher's weight is 0 in the full stage.",
        why="Fine if it is meant. The rule of thumb counts a teacher loss of 0 as a bug; this is "
        "the harmless one of its four causes.",
        source=_COUNTS,
        rank=240,
        judge=_judge_state("off", "info", "The teacher is off: its weight is 0."),
    ),
    Rule(
        code="TE002",
        name="teacher_idle",
        meaning="The teacher is on, but no pair was compared.",
        why="It is not wired into the full stage, or its loss was never computed.",
        source=_COUNTS,
        rank=110,
        judge=_judge_state(
            "idle",
            "warning",
            "The teacher is on but compared no pair: it is not wired into the full stage.",
            "The teacher's loss is 0 in the full stage, and the log counts no pairs: the teacher "
            "is off, or not wired in.",
        ),
    ),
    Rule(
        code="TE003",
        name="teacher_nothing_to_prefer",
        meaning="Pairs were compared, and none differed in score.",
        why="The samples agree, or the scorer cannot distinguish them. Nothing to prefer, no "
        "fault.",
        source=_COUNTS,
        rank=250,
        judge=_judge_state(
            "nothing_to_prefer",
            "info",
            "The teacher compared pairs, but none differed in score: nothing to prefer.",
        ),
    ),
    Rule(
        code="TE004",
        name="teacher_already_preferred",
        meaning="Pairs differ, and the model already prefers the better answer by the margin.",
        why="The teacher has done its work.",
        source=_COUNTS,
        rank=260,
        judge=_judge_state(
            "already_preferred",
            "ok",
            "The teacher found pairs that differ, and the model already prefers the better "
            "answers.",
        ),
    ),
    Rule(
        code="TE005",
        name="teacher_no_gradient",
        meaning="Pairs violate the margin, and the teacher's loss is still 0.",
        why="The loss carries no gradient: usually it was computed from detached scores instead "
        "of the model's own log-probabilities.",
        source=_COUNTS,
        rank=120,
        judge=_judge_state(
            "no_gradient",
            "warning",
            "Pairs violate the teacher's margin, yet its loss is 0: it contributes no gradient.",
        ),
    ),
    Rule(
        code="TR005",
        name="over_constraint",
        meaning="KL, teacher and a fast decoder pull at once, and validation is stuck.",
        why="Three forces on one decoder. The teacher is the most volatile of the three.",
        source=RULE_OF_THUMB,
        rank=295,
        look_at="Look at the teacher first, and change one thing at a time.",
        judge=judge_over_constraint,
        thresholds=("fast_train_loss", "plateau_epochs", "overfitting_min_loss"),
        needs_epochs=True,
    ),
)
