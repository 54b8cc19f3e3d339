from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import TeacherCounts
from tests.core.rules.found import found
from tests.runs import HEADER, make_epoch, make_run


@pytest.mark.parametrize(
    ("weight", "loss", "counts", "name", "level"),
    [
        (0.0, 0.0, None, "teacher_off", "info"),
        (0.3, 0.0, None, "teacher_idle", "warning"),
        (0.3, 0.0, TeacherCounts(0, 0, 0), "teacher_idle", "warning"),
        (0.3, 0.0, TeacherCounts(9, 0, 0), "teacher_nothing_to_prefer", "info"),
        (0.3, 0.0, TeacherCounts(9, 5, 0), "teacher_already_preferred", "ok"),
        (0.3, 0.0, TeacherCounts(9, 5, 1), "teacher_no_gradient", "warning"),
        (0.3, 0.01, TeacherCounts(9, 5, 1), None, None),
    ],
)
def test_a_silent_teacher_is_told_apart_by_its_counts(weight, loss, counts, name, level):
    last = make_epoch(15, train={"teacher_loss": loss}, teacher=counts)
    diagnosis = diagnose(replace(HEADER, teacher_weight=weight), [*make_run(15), last])
    teacher = [finding for finding in diagnosis.findings if finding.code.startswith("TE")]
    assert [(f.name, f.level) for f in teacher] == ([] if name is None else [(name, level)])


def test_the_teacher_is_judged_in_the_full_stage_only():
    diagnosis = diagnose(replace(HEADER, teacher_weight=0.0), make_run(15))
    assert all(finding.name != "teacher_off" for finding in diagnosis.findings)
    assert all("teacher" not in line for line in diagnosis.not_judged)


def crowded(**changes):
    """Validation stuck in the full stage while training answers fast."""

    def vary(n):
        val = {"answer_loss": 0.8 if n == 12 else 0.9, **changes}
        return {"train": {"answer_loss": 0.1 if n > 5 else 0.5}, "val": val}

    return make_run(24, vary)


def test_three_forces_are_a_warning_where_the_answers_are_not_learnt():
    seen = found("over_constraint", crowded(answer_gain=0.3))
    assert seen.level == "warning"
    assert "KL, teacher and a fast decoder pull at once" in seen.sentence
    assert found("over_constraint", crowded()).level == "info"


def test_without_a_teacher_there_are_no_three_forces():
    alone = replace(HEADER, teacher_weight=0.0)
    assert found("over_constraint", crowded(), alone) is None
