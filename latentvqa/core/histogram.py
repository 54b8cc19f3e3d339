"""The distribution of ``kl_token`` as counts and sums in logarithmic bins.

Counts and sums answer afterwards what another ``free_bits`` would have cost
without the examples themselves. Filling the bins is the trainer's job.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

from latentvqa.core.records import Histogram

BINS_PER_DECADE = 10
DECADES_BELOW = 4.0
DECADES_ABOVE = 2.5
ANCHOR_WITHOUT_FREE_BITS = 0.1  # nats; where the bins are centred if free_bits is 0


class KLAfterBounds(NamedTuple):
    """The least and the most that ``kl_after`` can have been, in nats."""

    low: float
    high: float


def histogram_edges(free_bits: float) -> tuple[float, ...]:
    """Bin edges with one exactly at ``free_bits``.

    Args:
        free_bits: allowance per latent token in nats; 0 centres the bins
            elsewhere.

    Returns:
        Rising edges, about four decades below to two and a half above.

    Raises:
        ValueError: if ``free_bits`` is negative or not finite.
    """
    _require_free_bits(free_bits)
    anchor = free_bits or ANCHOR_WITHOUT_FREE_BITS
    first = -round(DECADES_BELOW * BINS_PER_DECADE)
    last = round(DECADES_ABOVE * BINS_PER_DECADE)
    return tuple(anchor * 10.0 ** (i / BINS_PER_DECADE) for i in range(first, last + 1))


def kl_after_at(histogram: Histogram, free_bits: float) -> KLAfterBounds:
    """What ``kl_after`` would have been under another allowance, same posterior.

    Exact where ``free_bits`` is an edge (or 0). Inside a bin the hinge is
    bounded by convexity: all mass at the bin's mean, or all of it at the
    bin's ends.

    Args:
        histogram: counts and sums of ``kl_token``.
        free_bits: the allowance to try, in nats of ``kl_token``.

    Returns:
        Lower and upper bound, equal where the answer is exact.

    Raises:
        ValueError: if ``free_bits`` is negative or the histogram is empty or torn.
    """
    _require_free_bits(free_bits)
    edges, counts, sums = histogram.edges, histogram.counts, histogram.sums
    if not len(counts) == len(sums) == len(edges) + 1:
        raise ValueError(
            f"a histogram with {len(edges)} edges needs {len(edges) + 1} bins, "
            f"got {len(counts)} counts and {len(sums)} sums"
        )
    total = sum(counts)
    if total <= 0:
        raise ValueError("the histogram is empty")
    whole = 0 if free_bits == 0.0 else bisect_left(edges, free_bits) + 1
    above = sum(sums[whole:]) - free_bits * sum(counts[whole:])
    low, high = (0.0, 0.0) if whole == 0 else _split_bin(histogram, whole - 1, free_bits)
    return KLAfterBounds(max(above + low, 0.0) / total, max(above + high, 0.0) / total)


def _split_bin(histogram: Histogram, index: int, free_bits: float) -> tuple[float, float]:
    """Bounds on the summed hinge of the one bin that ``free_bits`` cuts."""
    edges, count = histogram.edges, histogram.counts[index]
    if count <= 0:
        return 0.0, 0.0
    start = edges[index - 1] if index > 0 else 0.0
    end = edges[index] if index < len(edges) else math.inf
    mean = min(max(histogram.sums[index] / count, start), end)
    low = count * max(mean - free_bits, 0.0)
    if math.isinf(end):
        return low, count * (mean - start)
    return low, max(low, count * (mean - start) * (end - free_bits) / (end - start))


def _require_free_bits(free_bits: float) -> None:
    if not math.isfinite(free_bits) or free_bits < 0.0:
        raise ValueError(f"free_bits must be finite and 0 or more, got {free_bits}")
