import numpy as np
import pytest

from latentvqa.core.estimates import Estimate
from latentvqa.engine.metrics.intervals import estimate_of, mean_with_interval


def width(measure):
    return measure.high - measure.low


def test_the_value_is_the_mean_over_rows():
    measure = mean_with_interval(np.array([1.0, 0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 0, 0, 1]))
    assert (measure.value, measure.n) == (pytest.approx(0.6), 5)
    assert measure.low <= measure.value <= measure.high


def test_correlated_questions_widen_the_interval():
    draws = np.random.default_rng(0)
    images = np.repeat(np.arange(60), 10)
    values = np.repeat(draws.integers(0, 2, 60), 10).astype(float)  # all right or all wrong
    by_image = mean_with_interval(values, images)
    by_row = mean_with_interval(values, np.arange(len(values)))
    assert by_image.value == by_row.value
    assert width(by_image) == pytest.approx(np.sqrt(10) * width(by_row), rel=0.15)


def test_the_interval_is_that_of_the_normal_approximation_for_many_images():
    values = np.random.default_rng(1).normal(0.0, 1.0, 2000)
    measure = mean_with_interval(values, np.arange(2000))
    error = values.std() / np.sqrt(2000)
    assert measure.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert measure.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_one_image_has_no_interval():
    measure = mean_with_interval(np.array([0.0, 1.0]), np.array([3, 3]))
    assert measure == Estimate(0.5, None, None, 2)


def test_equal_values_have_no_width_unless_they_are_shares():
    assert width(mean_with_interval(np.full(5, 3.0), np.arange(5))) == 0.0
    assert width(mean_with_interval(np.ones(5), np.arange(5))) == pytest.approx(0.5218, abs=1e-4)


def test_the_interval_is_the_same_every_time():
    values, images = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 1, 2, 3])
    assert mean_with_interval(values, images) == mean_with_interval(values, images)


def test_an_estimate_holds_value_low_high_and_n():
    found = mean_with_interval(np.full(2, 3.0), np.arange(2))
    assert found == Estimate(3.0, 3.0, 3.0, 2)


def coverage(images_of, tables=200, images=200, questions=10):
    """Share of tables whose interval covers the truth; questions of an image go together."""
    draws = np.random.default_rng(7)
    truth, covered = 0.7, 0
    for _ in range(tables):
        # a beta-binomial: every image has a difficulty of its own
        chance = draws.beta(2.1, 0.9, images)
        values = (draws.random((images, questions)) < chance[:, None]).astype(float).ravel()
        measure = mean_with_interval(values, images_of(images, questions))
        covered += measure.low <= truth <= measure.high
    return covered / tables


def by_image(images, questions):
    return np.repeat(np.arange(images), questions)


def by_row(images, questions):
    return np.arange(images * questions)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    assert 0.90 <= coverage(by_image) <= 0.99


def test_with_rows_as_the_unit_it_would_not():
    assert coverage(by_row) < 0.90


@pytest.mark.parametrize("images", [10, 40, 100])
def test_a_few_images_are_enough(images):
    assert 0.90 <= coverage(by_image, images=images) <= 0.99


def test_the_interval_of_paired_differences_covers_the_truth():
    draws = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        chance = draws.beta(2.1, 0.9, 150)[:, None]
        one = draws.random((150, 10)) < chance
        other = draws.random((150, 10)) < 0.9 * chance
        difference = (one.astype(float) - other).ravel()
        measure = mean_with_interval(difference, by_image(150, 10))
        covered += measure.low <= 0.1 * 0.7 <= measure.high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_value_lies_in_its_interval_and_the_interval_in_its_bounds():
    measure = estimate_of(0.3, np.array([0.4, 0.5, np.nan, 0.6]), rows=9, images=2)
    assert (measure.low, measure.high, measure.n) == (0.3, 1.0, 9)
    undefined = estimate_of(0.3, np.array([np.nan]), rows=9, images=3)
    assert (undefined.low, undefined.high) == (0.3, 0.3)
