import pytest

from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.found import UNKNOWN, found, run


@pytest.mark.parametrize(
    ("after", "is_found"),
    [(0.0, True), (0.05 * 0.0049, True), (0.05 * 0.199, True), (0.05 * 0.201, False)],
)
def test_free_bits_are_high_without_penalty_or_above_the_reduction_limit(after, is_found):
    assert (found("free_bits_high", run(0.05, after)) is not None) is is_found


def test_kl_after_counts_as_zero_below_its_share():
    loose = KLHealthThresholds(generous_reduction=1.0)
    assert found("free_bits_high", run(1.0, 0.0049), thresholds=loose)
    assert found("free_bits_high", run(1.0, 0.0051), thresholds=loose) is None


@pytest.mark.parametrize("val", [UNKNOWN, {"answer_gain": 0.3}])
def test_high_free_bits_are_a_warning_from_ten_epochs_on_and_no_change_is_advised(val):
    late = found("free_bits_high", run(0.05, 0.0, epochs=11, val=val))
    assert (late.level, late.advice) == ("warning", None)
    assert found("free_bits_high", run(0.05, 0.0, epochs=10, val=val)).level == "info"


@pytest.mark.parametrize(
    ("raw", "epochs", "is_found"),
    [(0.02, 7, True), (0.0199, 7, False), (0.04, 7, True), (0.0401, 7, False), (0.03, 6, False)],
)
def test_free_bits_are_generous_after_seven_epochs_without_penalty(raw, epochs, is_found):
    assert (found("free_bits_generous", run(raw, 0.0, epochs=epochs)) is not None) is is_found
