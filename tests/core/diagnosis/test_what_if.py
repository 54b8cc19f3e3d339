from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.diagnosis.what_if import kl_after_bounds, what_if_free_bits
from latentvqa.core.histogram import histogram_edges
from tests.core.test_histogram import fill
from tests.runs import HEADER, KL, make_epoch, make_run

VALUES = [0.04, 0.06, 0.09, 0.11, 0.2]
HISTOGRAM = fill(VALUES, histogram_edges(0.1))


def hinge(values, free_bits):
    return sum(max(value - free_bits, 0.0) for value in values) / len(values)


def test_the_penalty_under_another_allowance_lies_within_the_bounds():
    tried = what_if_free_bits(HEADER, [make_epoch(3, train={"kl_histogram": HISTOGRAM})], 0.05)
    true = hinge(VALUES, 0.05)
    assert tried.epoch == 3
    assert tried.is_exact
    assert tried.row.kl_after_low <= true <= tried.row.kl_after_high
    assert tried.row.reduction_low <= 1.0 - true / 0.1 <= tried.row.reduction_high


def test_the_table_rises_and_holds_the_present_allowance():
    tried = what_if_free_bits(HEADER, [make_epoch(3, train={"kl_histogram": HISTOGRAM})], 0.03)
    shown = [row.free_bits for row in tried.table]
    assert shown == sorted(shown)
    assert {0.0, 0.03, KL.free_bits} <= set(shown)


def test_the_latest_epoch_counts():
    records = make_run(3, train={"kl_histogram": HISTOGRAM})
    assert what_if_free_bits(HEADER, records, 0.1).epoch == 2


def test_averages_give_bounds():
    tried = what_if_free_bits(HEADER, make_run(2), 0.02)
    assert not tried.is_exact
    assert tried.row.kl_after_low == pytest.approx(0.03)
    assert tried.row.kl_after_high == 0.05
    assert "bounds, since the log holds averages only" in tried.sentence


@given(
    values=st.lists(st.floats(0.0, 10.0), min_size=1, max_size=30),
    logged=st.floats(0.0, 5.0),
    tried=st.floats(0.0, 5.0),
)
def test_bounds_from_averages_hold_for_any_values(values, logged, tried):
    raw = sum(values) / len(values)
    low, high = kl_after_bounds(raw, hinge(values, logged), logged, tried)
    assert low - 1e-9 <= hinge(values, tried) <= high + 1e-9


@pytest.mark.parametrize(
    ("raw", "after", "free_bits", "says", "reach"),
    [
        (0.09, 0.0, 0.02, "will follow", (0.015, 0.022)),  # pinned at 0.1
        (0.09, 0.0, 0.0, "may collapse", (None, None)),
        (0.03, 0.0, 0.05, "nothing changes", (0.03, 0.03)),  # never used up
        (0.03, 0.0, 0.02, "will follow", (0.015, 0.022)),
        (0.30, 0.2, 0.05, "the price holds the KL", (0.25, 0.30)),
    ],
)
def test_the_prediction_knows_what_holds_the_kl(raw, after, free_bits, says, reach):
    records = make_run(4, train={"kl_raw": raw, "kl_after": after})
    prediction = what_if_free_bits(HEADER, records, free_bits).prediction
    assert says in prediction.sentence
    expected = reach if reach[0] is None else pytest.approx(reach)
    assert (prediction.kl_raw_low, prediction.kl_raw_high) == expected


def test_a_kl_without_a_price_stays():
    header = replace(HEADER, kl=replace(KL, max_weight=0.0))
    assert "no price" in what_if_free_bits(header, make_run(3), 0.02).prediction.sentence


def test_a_log_without_free_bits_is_not_predicted():
    header = replace(HEADER, kl=replace(KL, unknown=("free_bits",)))
    tried = what_if_free_bits(header, make_run(3), 0.02)
    assert "does not say free_bits" in tried.prediction.sentence
    assert tried.row.kl_after_high == 0.05


def test_a_log_without_a_kl_says_so():
    records = make_run(2, train={"kl_raw": None}, val={"kl_raw": None})
    tried = what_if_free_bits(HEADER, records, 0.05)
    assert tried.row is None
    assert "no kl_raw" in tried.sentence


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="free_bits"):
        what_if_free_bits(HEADER, make_run(2), -1.0)
