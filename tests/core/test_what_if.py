import pytest

from latentvqa.core.histogram import histogram_edges
from latentvqa.core.what_if import what_if_free_bits
from tests.core.test_histogram import fill
from tests.runs import make_epoch, make_run

VALUES = [0.04, 0.06, 0.09, 0.11, 0.2]
HISTOGRAM = fill(VALUES, histogram_edges(0.1))


def test_the_penalty_under_another_allowance_lies_within_the_bounds():
    tried = what_if_free_bits([make_epoch(3, train={"kl_histogram": HISTOGRAM})], 0.05)
    true = sum(max(value - 0.05, 0.0) for value in VALUES) / len(VALUES)
    assert tried.epoch == 3
    assert tried.kl_after_low <= true <= tried.kl_after_high
    assert tried.reduction_low <= 1.0 - true / 0.1 <= tried.reduction_high
    assert "static" in tried.sentence


def test_the_latest_distribution_counts_and_validation_stands_in():
    records = make_run(3, lambda n: {"val": {"kl_histogram": HISTOGRAM}} if n < 2 else {})
    assert what_if_free_bits(records, 0.1).epoch == 1


def test_a_log_without_a_distribution_says_so():
    tried = what_if_free_bits(make_run(2), 0.05)
    assert tried.kl_after_low is None
    assert "no distribution" in tried.sentence


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="free_bits"):
        what_if_free_bits([make_epoch(3, train={"kl_histogram": HISTOGRAM})], -1.0)
