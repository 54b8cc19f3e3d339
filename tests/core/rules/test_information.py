import pytest

from latentvqa.core.rules.information import (
    are_answers_learnt,
    has_leak,
    information_of,
    is_learning_overdue,
)
from latentvqa.core.rules.rule import views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.found import info
from tests.runs import HEADER, make_run


def last(epochs=12, **val):
    return views(HEADER, make_run(epochs, val=val), KLHealthThresholds())[-1]


def test_a_constant_answer_needs_no_information():
    assert information_of(last(answer_entropy=0.0)).need is None
    assert information_of(last(temperature=None)).temperature == 0.5


@pytest.mark.parametrize(
    ("val", "expected"),
    [
        (info(12.0, 1.6), True),
        (info(12.0, 0.8), False),
        (info(0.3, 1.6), False),
        (info(None, 1.6), True),
        (info(12.0, None), None),
    ],
)
def test_answers_are_learnt_where_the_latent_can_have_carried_them(val, expected):
    assert are_answers_learnt(last(**val)) is expected


@pytest.mark.parametrize(
    ("epochs", "gain", "expected"), [(11, 0.3, True), (10, 0.3, False), (11, 1.6, False)]
)
def test_learning_is_overdue_from_the_tuning_epoch_on(epochs, gain, expected):
    assert is_learning_overdue(last(epochs, answer_gain=gain)) is expected


def test_learning_is_not_overdue_where_the_log_cannot_say_it():
    assert not is_learning_overdue(last(answer_gain=None))


def test_a_leak_needs_a_temperature():
    assert has_leak(last(**info(0.5, 1.6)))
    assert not has_leak(last(**info(0.5, 1.6, temperature=0.0)))
    assert not has_leak(last(**info(None, 1.6)))
