import warnings

import numpy as np
import pytest
from scipy import stats

from latentvqa.core.estimates import Estimate
from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.metrics.paired_tests import (
    difference_over_images,
    difference_over_seeds,
    holm,
    p_of_no_difference,
    smallest_detectable_difference,
    standard_errors_to_show,
)


def rows(*values, image=lambda row: f"{row // 2}.png", shift=0):
    """Rows of a prediction file, two to an image."""
    return {
        (image(row), "q", "yes", str(row + shift)): bool(value) for row, value in enumerate(values)
    }


@pytest.mark.parametrize("count", [2, 3, 10])
def test_the_interval_over_seeds_is_that_of_scipys_paired_t_test(count):
    draws = np.random.default_rng(count)
    arm, default = draws.normal(0.9, 0.05, count), draws.normal(0.8, 0.05, count)
    found = difference_over_seeds((arm - default).tolist())
    expected = stats.ttest_rel(arm, default)
    interval = expected.confidence_interval(0.95)
    assert found.value == pytest.approx((arm - default).mean())
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.n == count
    # the interval leaves out 0 exactly where the test rejects at 5 %
    assert (found.sign != 0) == (expected.pvalue < 0.05)


def test_one_seed_has_no_interval():
    found = difference_over_seeds([0.25])
    assert (found.value, found.low, found.high, found.n) == (0.25, None, None, 1)
    assert found.sign == 0


def test_equal_differences_have_an_interval_without_width_and_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = difference_over_seeds([-0.5, -0.5, -0.5])
    assert (found.value, found.low, found.high) == (-0.5, -0.5, -0.5)


def test_over_images_the_difference_is_that_of_the_shares_of_right_answers():
    arm, default = rows(1, 1, 0, 1, 0, 0), rows(0, 1, 0, 1, 1, 0)
    found = difference_over_images([(arm, default), (default, arm)])
    assert found.value == pytest.approx(0.0)
    found = difference_over_images([(arm, rows(0, 0, 0, 0, 0, 0))])
    assert found.value == pytest.approx(0.5)
    assert found.n == 6


def test_over_images_rows_are_matched_whatever_their_order():
    draws = np.random.default_rng(0)
    right, other = draws.integers(0, 2, 200), draws.integers(0, 2, 200)
    arm, default = rows(*right), rows(*other)
    turned = dict(sorted(arm.items(), reverse=True))
    assert difference_over_images([(turned, default)]) == difference_over_images([(arm, default)])
    expected = mean_with_interval((right - other).astype(float), np.arange(200) // 2)
    found = difference_over_images([(arm, default)])
    assert found.value == pytest.approx(expected.value)
    width = expected.high - expected.low  # images are numbered otherwise: other resamples
    assert found.low == pytest.approx(expected.low, abs=0.1 * width)
    assert found.high == pytest.approx(expected.high, abs=0.1 * width)


def test_an_image_that_several_seeds_validate_on_is_one_unit():
    """The same rows twice tell nothing new; the same rows of other images do."""
    draws = np.random.default_rng(1)
    arm, default = draws.integers(0, 2, 400), draws.integers(0, 2, 400)
    once = difference_over_images([(rows(*arm), rows(*default))])
    twice = difference_over_images([(rows(*arm), rows(*default))] * 2)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=1e-9)

    def elsewhere(values):
        return rows(*values, image=lambda row: f"other/{row // 2}.png")

    apart = difference_over_images(
        [(rows(*arm), rows(*default)), (elsewhere(arm), elsewhere(default))]
    )
    shrunk = (apart.high - apart.low) / (once.high - once.low)
    assert shrunk == pytest.approx(1 / np.sqrt(2), rel=0.1)


def test_runs_that_answered_other_rows_are_not_paired():
    assert difference_over_images([(rows(1, 0), rows(1, 0, shift=1))]) is None
    assert difference_over_images([(rows(1, 0), rows(1, 0, 1))]) is None
    assert difference_over_images([]) is None


def test_the_p_value_over_seeds_is_that_of_scipys_paired_t_test():
    differences = [0.02, 0.05, 0.01, 0.04]
    found = p_of_no_difference(difference_over_seeds(differences), None)
    assert found == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue)
    assert p_of_no_difference(difference_over_seeds([0.1]), None) is None


@pytest.mark.parametrize(("low", "is_below"), [(0.001, True), (-0.001, False)])
def test_with_one_seed_the_p_value_is_that_of_the_images(low, is_below):
    one = difference_over_seeds([0.1])
    for estimate in (Estimate(0.1, low, 0.3, 900), Estimate(0.1, low, 0.3, 900).negated):
        assert (p_of_no_difference(one, estimate) < 0.05) == is_below


def test_equal_differences_are_certain_and_no_differences_are_not():
    assert p_of_no_difference(difference_over_seeds([0.0, 0.0]), None) == 1.0
    assert p_of_no_difference(difference_over_seeds([0.25, 0.25]), None) == 0.0


def test_holm_multiplies_by_what_is_left_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_of_many_arms_without_effect_holm_calls_one_different_in_5_of_100_tables():
    draws = np.random.default_rng(0)
    tables = draws.normal(0.0, 1.0, (2_000, 5, 3))
    p_values = stats.ttest_1samp(tables, 0.0, axis=2).pvalue
    assert (p_values < 0.05).any(1).mean() > 0.2
    corrected = np.array([holm(row.tolist()) for row in p_values])
    assert (corrected < 0.05).any(1).mean() == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("arms", [1, 3])
@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_the_smallest_detectable_difference_is_shown_in_four_of_five_tables(seeds, arms):
    draws = np.random.default_rng(seeds)
    truth = standard_errors_to_show(seeds, 0.05 / arms) / seeds**0.5  # in standard deviations
    differences = draws.normal(truth, 1.0, (40_000, seeds))
    shown = stats.ttest_1samp(differences, 0.0, axis=1).pvalue < 0.05 / arms
    assert shown.mean() == pytest.approx(0.8, abs=0.01)


def test_three_seeds_miss_two_standard_deviations_every_other_time():
    # of the seeds of an arm; paired differences spread 1.41 times as far
    draws = np.random.default_rng(1)
    differences = draws.normal(2.0, 2**0.5, (40_000, 3))
    assert (stats.ttest_1samp(differences, 0.0, axis=1).pvalue < 0.05).mean() < 0.5
    assert standard_errors_to_show(3, 0.05) * (2 / 3) ** 0.5 > 2.0


def test_the_spread_of_all_arms_is_pooled():
    one, other = [0.0, 0.02, 0.04], [0.10, 0.11, 0.12]
    pooled = ((np.var(one, ddof=1) + np.var(other, ddof=1)) / 2) ** 0.5
    found = smallest_detectable_difference(
        [difference_over_seeds(one), difference_over_seeds(other)]
    )
    assert found == pytest.approx(standard_errors_to_show(3, 0.025) * pooled / 3**0.5)
    assert smallest_detectable_difference([difference_over_seeds([0.1])]) is None
    assert smallest_detectable_difference([difference_over_seeds([0.1, 0.1])]) is None
    assert smallest_detectable_difference([]) is None
