"""The training notes' checks on the teacher, told apart by its pair counts.

A teacher loss of 0 is a fault only where pairs that should teach do not.
"""

from __future__ import annotations

from typing import Literal

from latentvqa.core.rules.rule import Judgement, Level, NotJudged, Outcome, Rule, RunView

TeacherState = Literal[
    "off", "idle", "nothing_to_prefer", "already_preferred", "no_gradient", "active"
]


def teacher_state(view: RunView) -> TeacherState | NotJudged | None:
    """Why the teacher's loss is 0, told apart by counts; None outside the full stage."""
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
        told = sentence if counts is not None or state != "idle" else UNCOUNTED
        return Judgement(level, told, observed, {})

    return Rule(code, f"teacher_{state}", "training notes, decision tree; pair counts", judge)


UNCOUNTED = (
    "The teacher's loss is 0 in the full stage, and the log counts no pairs: the teacher is off, "
    "or not wired in."
)

TEACHER_RULES: tuple[Rule, ...] = (
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
        "ok",
        "The teacher found pairs that differ, and the model already prefers the better answers.",
    ),
    _teacher_rule(
        "TE005",
        "no_gradient",
        "warning",
        "Pairs violate the teacher's margin, yet its loss is 0: it contributes no gradient.",
    ),
)
