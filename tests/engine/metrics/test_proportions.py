import numpy as np
import pytest

from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.metrics.proportions import binomial_ends, rare_ends

QUESTIONS = 8


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # Clopper and Pearson's interval as scipy.stats.binomtest gives it
    [(0, 10, 0.0, 0.3084971), (7, 10, 0.3475471, 0.9332605), (200, 200, 0.9817244, 1.0)],
)
def test_whole_numbers_give_the_exact_binomial_interval(hits, trials, low, high):
    assert binomial_ends(hits / trials, trials, 0.025) == pytest.approx((low, high), abs=1e-6)


def test_answers_that_are_all_right_leave_room_for_errors_of_images():
    rows, images = np.ones(1_600), np.repeat(np.arange(200), QUESTIONS)
    found = mean_with_interval(rows, images)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.982, abs=0.0005)
    # every row an image of its own
    assert mean_with_interval(rows, np.arange(1_600)).low == pytest.approx(0.998, abs=0.0005)


def test_no_change_at_all_is_not_a_difference_of_exactly_zero():
    images = np.repeat(np.arange(50), QUESTIONS)
    found = mean_with_interval(np.zeros(400), images, quantity="difference")
    assert (-found.low, found.high) == pytest.approx((0.0711, 0.0711), abs=1e-4)
    worst = mean_with_interval(-np.ones(400), images, quantity="difference")
    assert (worst.value, worst.low) == (-1.0, -1.0)
    assert worst.high == pytest.approx(-0.858, abs=1e-3)
    changed = np.zeros(400)
    changed[[0, 9]] = (1.0, -1.0)
    mixed = mean_with_interval(changed, images, quantity="difference")
    assert mixed.low < -0.05 < 0.05 < mixed.high


def test_measures_beyond_shares_are_left_to_the_bootstrap():
    index = np.repeat(np.arange(20), QUESTIONS)
    rng = np.random.default_rng(0)
    assert rare_ends(rng.normal(3.0, 1.0, 160), index, 0.025) is None  # nats
    assert rare_ends(rng.random(160), index, 0.025) is None  # a continuous score
    assert rare_ends(rng.integers(-1, 2, 160).astype(float), index, 0.025) is None


@pytest.mark.parametrize("images", [10, 30, 100, 500])
@pytest.mark.parametrize("rate", [0.5, 0.95, 0.9995])
@pytest.mark.parametrize("alike", [0.0, 0.3])
def test_intervals_of_shares_cover_what_they_promise(images, rate, alike):
    rng = np.random.default_rng(7)
    index = np.repeat(np.arange(images), QUESTIONS)
    covered, runs = 0, 1_000
    for _ in range(runs):
        rates = np.full(images, rate)
        if alike:  # questions of an image succeed and fail together
            strength = (1.0 - alike) / alike
            rates = rng.beta(rate * strength, (1.0 - rate) * strength, images)
        rows = (rng.random(images * QUESTIONS) < rates[index]).astype(float)
        low, high = rare_ends(rows, index, 0.025)
        covered += low <= rate <= high
    # wider than promised where images are few or errors rare: then they count as one trial each
    assert covered / runs >= 0.93
    if images >= 100 and rate < 0.99:
        assert covered / runs <= 0.97
