"""The time left of a training, with a clock that the tests set."""

import pytest

from latentvqa.cli.time_left import TimeLeft, short_duration


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def left(clock):
    left = TimeLeft(clock)
    left.plan(10)
    return left


def test_the_first_epoch_is_extrapolated_from_its_batches(left, clock):
    assert left.seconds(0, 0.1) is None
    clock.now += 20
    assert left.seconds(0, 0.3) == pytest.approx(100 * 9.7)


def test_later_epochs_are_taken_to_be_like_the_last_three(left, clock):
    for seconds in (1000, 10, 30, 20):
        left.epoch_done(seconds)
    assert left.seconds(4, 0.0) == 20 * 6
    assert left.seconds(4, 0.5) == 20 * 5.5
    assert left.seconds(9, 1.0) == 0.0


def test_a_resumed_epoch_counts_from_where_it_was_taken_up(left, clock):
    assert left.seconds(7, 0.5) is None
    clock.now += 5
    assert left.seconds(7, 0.75) == pytest.approx(20 * 2.25)


def test_another_plan_begins_anew(left):
    left.epoch_done(10)
    left.plan(2)
    assert left.seconds(0, 0.5) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (42.4, "0:42"), (725, "12:05"), (11_232, "3:07:12"), (184_020, "2 d 03:07")],
)
def test_a_duration_is_short(seconds, text):
    assert short_duration(seconds) == text
