import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from latentvqa.engine.metrics.confidence import (
    auroc,
    calibration_error,
    debiased_error,
    error_if_calibrated,
    judge_confidence,
    reliability,
    risk_curve,
)

answers = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.51, 0.9, 1.0]), st.booleans()),
    min_size=1,
    max_size=30,
)


def columns(pairs):
    return np.array([c for c, _ in pairs]), np.array([float(r) for _, r in pairs])


def calibrated(rows=4000, seed=0):
    draws = np.random.default_rng(seed)
    confidences = draws.uniform(0.2, 1.0, rows)
    return confidences, (draws.random(rows) < confidences).astype(float), np.arange(rows) // 4


def test_a_confidence_that_is_true_has_hardly_an_error():
    confidences, is_right, _ = calibrated(200_000)
    assert calibration_error(confidences, is_right) < 0.01
    assert calibration_error(confidences**3, is_right) > 0.1


def test_the_error_is_the_mean_gap_weighted_by_rows():
    confidences, is_right = np.array([0.95, 0.95, 0.95, 0.05]), np.array([1.0, 0.0, 0.0, 1.0])
    expected = (3 * abs(0.95 - 1 / 3) + 1 * 0.95) / 4
    assert calibration_error(confidences, is_right) == pytest.approx(expected)


def test_a_confidence_of_exactly_one_is_in_the_last_bin():
    bins = reliability(np.array([1.0, 1.0, 0.97]), np.array([1.0, 0.0, 1.0]))
    assert len(bins) == 15
    assert bins[-1].rows == 3
    assert sum(one.rows for one in bins) == 3
    assert calibration_error(np.ones(4), np.array([1.0, 1.0, 1.0, 0.0])) == pytest.approx(0.25)


@given(answers)
def test_auroc_is_the_statistic_of_mann_and_whitney(pairs):
    confidences, is_right = columns(pairs)
    found = auroc(confidences, is_right)
    right, wrong = confidences[is_right > 0], confidences[is_right == 0]
    if not len(right) or not len(wrong):
        assert found is None
    else:
        expected = mannwhitneyu(right, wrong).statistic / (len(right) * len(wrong))
        assert found == pytest.approx(expected)


@given(answers, st.randoms())
def test_no_measure_depends_on_the_order_of_the_rows(pairs, random):
    mixed = list(pairs)
    random.shuffle(mixed)
    one, other = columns(pairs), columns(mixed)
    np.testing.assert_allclose(risk_curve(*one), risk_curve(*other), atol=1e-12)
    assert calibration_error(*one) == pytest.approx(calibration_error(*other))


@given(answers)
def test_the_risk_of_answering_everything_is_the_share_of_mistakes(pairs):
    confidences, is_right = columns(pairs)
    assert risk_curve(confidences, is_right)[-1] == pytest.approx(1 - is_right.mean())


def test_a_perfect_order_makes_its_mistakes_last():
    is_right = np.array([1.0] * 8 + [0.0] * 2)
    risks = risk_curve(np.linspace(1, 0.1, 10), is_right)
    np.testing.assert_allclose(risks[:8], 0.0)
    np.testing.assert_allclose(risks[8:], [1 / 9, 2 / 10])


def test_equal_confidences_have_one_risk_at_every_coverage():
    risks = risk_curve(np.full(5, 0.7), np.array([1.0, 0.0, 1.0, 1.0, 0.0]))
    np.testing.assert_allclose(risks, 0.4)


def test_all_measures_of_a_calibrated_table():
    confidences, is_right, images = calibrated()
    found = judge_confidence(confidences, is_right, images, 1.3)
    assert found.calibration_error.value < 0.04
    assert found.auroc.low < found.auroc.value < found.auroc.high
    assert found.aurc.value == pytest.approx(risk_curve(confidences, is_right).mean())
    assert found.brier.value == pytest.approx(((confidences - is_right) ** 2).mean())
    surest = np.argsort(-confidences)[:2000]
    assert found.accuracy_at_coverage[0.5] == pytest.approx(is_right[surest].mean())
    assert found.accuracy_at_coverage[0.5] > found.accuracy_at_coverage[0.9] > is_right.mean()
    assert 0.0 <= found.coverage_at_risk[0.01] <= found.coverage_at_risk[0.05] < 1.0
    assert found.risk_coverage[-1] == pytest.approx((1.0, 1 - is_right.mean()))
    assert found.logit_temperature == 1.3


def test_without_a_mistake_there_is_nothing_to_rank():
    found = judge_confidence(np.array([0.9, 0.8, 1.0]), np.ones(3), np.arange(3))
    assert found.auroc is None
    assert found.aurc.value == 0.0
    assert found.coverage_at_risk[0.01] == 1.0


@pytest.mark.parametrize(("wrong", "has_interval"), [(19, False), (20, True)])
def test_an_auroc_of_few_mistakes_has_no_interval(wrong, has_interval):
    confidences, images = np.random.default_rng(0).random(400), np.arange(400)
    is_right = (images >= wrong).astype(float)
    for right in (is_right, 1.0 - is_right):
        found = judge_confidence(confidences, right, images).auroc
        assert found.value == pytest.approx(auroc(confidences, right))
        assert (found.low is not None, found.high is not None) == (has_interval, has_interval)


def test_perfect_calibration_shows_the_error_that_is_foretold_for_it():
    found = error_if_calibrated(calibrated(300)[0])
    errors = [calibration_error(*calibrated(300, seed)[:2]) for seed in range(1, 401)]
    assert found.value == pytest.approx(np.mean(errors), rel=0.05)
    assert found.value > 0.05  # though every confidence is true
    assert 0.92 < np.mean([found.low <= error <= found.high for error in errors]) < 0.98
    assert found == error_if_calibrated(calibrated(300)[0])


def test_the_debiased_error_is_0_on_average_where_confidences_are_true():
    def mean_square(power):
        squares = []
        for seed in range(400):
            confidences, is_right, _ = calibrated(300, seed)
            bins = reliability(confidences**power, is_right)
            signed = sum(
                one.rows
                * (
                    (one.confidence - one.accuracy) ** 2
                    - one.accuracy * (1 - one.accuracy) / (n - 1)
                )
                for one in bins
                if (n := one.rows) > 1
            )
            assert debiased_error(bins) == pytest.approx(max(0.0, signed / 300) ** 0.5)
            squares.append(signed / 300)
        return np.mean(squares)

    confidences, is_right, _ = calibrated(400_000)
    # as many rows as leave nothing to chance
    wrong = [
        one.rows / 400_000 * (one.confidence - one.accuracy) ** 2
        for one in reliability(confidences**3, is_right)
    ]
    assert mean_square(1) == pytest.approx(0.0, abs=0.0005)
    assert mean_square(3) == pytest.approx(sum(wrong), rel=0.05)


def test_answers_are_ordered_by_the_probability_without_temperature():
    confidences, is_right, images = calibrated()
    order = np.log(confidences)
    shuffled = np.random.default_rng(1).permutation(confidences)
    plain = judge_confidence(confidences, is_right, images)
    found = judge_confidence(shuffled, is_right, images, 0.2, log_probabilities=order)
    for name in ("auroc", "aurc", "accuracy_at_coverage", "coverage_at_risk", "risk_coverage"):
        assert getattr(found, name) == getattr(plain, name), name
    assert found.calibration_error.value > plain.calibration_error.value


def test_correlated_questions_widen_the_intervals():
    confidences, is_right, _ = calibrated(400)
    confidences, is_right = np.repeat(confidences, 10), np.repeat(is_right, 10)
    by_image = judge_confidence(confidences, is_right, np.repeat(np.arange(400), 10)).auroc
    by_row = judge_confidence(confidences, is_right, np.arange(4000)).auroc
    assert by_image.high - by_image.low > 2 * (by_row.high - by_row.low)
