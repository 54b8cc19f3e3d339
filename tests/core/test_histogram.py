import math
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.histogram import histogram_edges, kl_after_at
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
    assert len(edges) + 1 >= 64
    assert list(edges) == sorted(set(edges))
    assert edges[0] == pytest.approx(free_bits * 1e-4)
    assert edges[-1] == pytest.approx(free_bits * 10**2.5)


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


@given(VALUES, st.integers(0, 65))
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
