import math
import random
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.histogram import BINS_PER_DECADE, histogram_edges, kl_after_at, trimmed
from latentvqa.core.records import Histogram

VALUES = st.lists(st.floats(0.0, 500.0), min_size=1, max_size=60)


def fill(values, edges):
    counts, sums = [0] * (len(edges) + 1), [0.0] * (len(edges) + 1)
    for value in values:
        counts[bisect_right(edges, value)] += 1
        sums[bisect_right(edges, value)] += value
    return Histogram(tuple(edges), tuple(counts), tuple(sums))


@pytest.mark.parametrize("free_bits", [0.02, 0.1, 25.6])
def test_one_edge_lies_exactly_at_free_bits(free_bits):
    edges = histogram_edges(free_bits)
    assert free_bits in edges
    assert list(edges) == sorted(set(edges))
    assert edges[0] == pytest.approx(free_bits * 1e-6)
    assert edges[-1] == pytest.approx(free_bits * 1e6)


def test_without_free_bits_the_bins_are_centred_at_a_tenth():
    assert 0.1 in histogram_edges(0.0)


@pytest.mark.parametrize("free_bits", [-0.1, math.nan, math.inf])
def test_nonsense_is_refused(free_bits):
    with pytest.raises(ValueError, match="free_bits"):
        histogram_edges(free_bits)
    with pytest.raises(ValueError, match="free_bits"):
        kl_after_at(fill([0.1], histogram_edges(0.1)), free_bits)


@given(VALUES, st.floats(0.0, 600.0))
def test_the_true_hinge_lies_within_the_bounds(values, free_bits):
    true = sum(max(value - free_bits, 0.0) for value in values) / len(values)
    low, high = kl_after_at(fill(values, histogram_edges(0.1)), free_bits)
    assert low - 1e-9 <= true <= high + 1e-9


def middle_error(values, free_bits, edges):
    """How far the middle of the bounds is from the truth, and how wide they are, over kl_raw."""
    low, high = kl_after_at(fill(values, edges), free_bits)
    true = math.fsum(max(value - free_bits, 0.0) for value in values) / len(values)
    raw = math.fsum(values) / len(values)
    return abs((low + high) / 2.0 - true) / raw, (high - low) / raw


@given(
    scale=st.floats(-9.0, 3.0),
    shape=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0, 2.0]),
    seed=st.integers(0, 1000),
    logged=st.sampled_from([0.0, 0.02, 0.1, 6.4]),
    place=st.floats(-6.0, 6.0),
)
def test_the_middle_of_the_bounds_is_within_2_percent_for_lognormal_values(
    scale, shape, seed, logged, place
):
    draws = random.Random(seed)
    values = [draws.lognormvariate(scale, shape) for _ in range(200)]
    edges = histogram_edges(logged)
    tried = min(max(values[0] * 10.0 ** (place / 6.0), edges[0]), edges[-1])
    for free_bits in (tried, min(max((logged or 0.1) * 10.0**place, edges[0]), edges[-1])):
        assert middle_error(values, free_bits, edges)[0] <= 0.02


@given(VALUES.filter(lambda values: sum(values) > 1e-6), st.floats(-6.0, 6.0))
def test_the_middle_of_the_bounds_is_within_2_percent_for_any_values(values, place):
    edges = histogram_edges(0.1)
    free_bits = min(max(0.1 * 10.0**place, edges[0]), edges[-1])
    assert middle_error(values, free_bits, edges)[0] <= 0.02


def test_the_widest_bounds_are_those_of_values_at_the_geometric_middle_of_a_bin():
    edges = histogram_edges(0.1)
    free_bits = math.sqrt(edges[120] * edges[121])
    _, width = middle_error([free_bits] * 10, free_bits, edges)
    assert width == pytest.approx(math.tanh(math.log(10.0) / BINS_PER_DECADE / 4.0), rel=1e-3)
    assert width / 2.0 < 0.0145


@given(VALUES, st.floats(0.0, 600.0))
def test_the_coarser_and_longer_histograms_of_older_logs_are_read(values, free_bits):
    older = [0.1 * 10.0 ** (i / 10.0) for i in range(-40, 26)]
    true = sum(max(value - free_bits, 0.0) for value in values) / len(values)
    low, high = kl_after_at(fill(values, older), free_bits)
    assert low - 1e-9 <= true <= high + 1e-9


@given(VALUES, st.floats(0.0, 600.0))
def test_a_trimmed_histogram_tells_the_same(values, free_bits):
    whole = fill(values, histogram_edges(0.1))
    short = trimmed(whole.edges, whole.counts, whole.sums)
    assert len(short.counts) == len(short.sums) == len(short.edges) + 1
    assert sum(short.counts) == len(values)
    bounds = kl_after_at(whole, free_bits)
    lost = 1e-6 + 1e-8 * sum(values)  # a sum is logged with nine digits
    for told, true in zip(kl_after_at(short, free_bits), bounds, strict=True):
        assert told == pytest.approx(true, rel=1e-6, abs=lost)


def test_the_digits_of_a_logged_sum_are_lost_where_the_hinge_is_small():
    whole = fill([316.640625, 329.640625, 354.640625], histogram_edges(0.1))
    short = trimmed(whole.edges, whole.counts, whole.sums)
    difference = kl_after_at(short, 332.0).low - kl_after_at(whole, 332.0).low
    assert 0.0 < difference < 1e-5


def test_a_trimmed_histogram_keeps_only_what_holds_something():
    short = trimmed((0.1, 0.2, 0.4, 0.8), (0, 0, 3.0, 0, 0), (0.0, 0.0, 0.87654321019, 0.0, 0.0))
    assert short == Histogram((0.2, 0.4), (0, 3, 0), (0.0, 0.87654321, 0.0))
    assert trimmed((0.1,), (2, 0), (0.1, 0.0)) == Histogram((0.1,), (2, 0), (0.1, 0.0))
    assert trimmed((0.1,), (0, 1), (0.0, 5.0)) == Histogram((0.1,), (0, 1), (0.0, 5.0))
    assert trimmed((0.1,), (0, 0), (0.0, 0.0)) is None


@given(VALUES, st.integers(0, 240))
def test_the_hinge_is_exact_at_an_edge(values, index):
    edges = histogram_edges(0.1)
    true = sum(max(value - edges[index], 0.0) for value in values) / len(values)
    assert kl_after_at(fill(values, edges), edges[index]) == pytest.approx((true, true), abs=1e-9)


def test_without_free_bits_the_whole_kl_remains():
    assert kl_after_at(fill([0.1, 0.3], histogram_edges(0.1)), 0.0) == pytest.approx((0.2, 0.2))


def test_empty_and_torn_histograms_are_refused():
    with pytest.raises(ValueError, match="empty"):
        kl_after_at(fill([], histogram_edges(0.1)), 0.1)
    with pytest.raises(ValueError, match="needs 2 bins"):
        kl_after_at(Histogram((0.1,), (1,), (0.1,)), 0.1)
