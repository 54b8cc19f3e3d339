"""The distribution of ``kl_token`` as counts and sums in logarithmic bins.

Counts and sums answer afterwards what another ``free_bits`` would have cost
without the examples themselves. Filling the bins is the trainer's job.

Where ``free_bits`` cuts a bin whose ends have the ratio r, the middle of the
bounds misses the true ``kl_after`` by at most tanh(ln(r) / 4) / 2 of ``kl_raw``,
whatever the distribution: 1.44 % at 20 bins per decade.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from latentvqa.core.records import Histogram

BINS_PER_DECADE = 20
DECADES = 6  # of bins on either side of free_bits
EDGE_DIGITS = 6  # significant digits of a logged edge
SUM_DIGITS = 9  # and of a logged sum
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
        Rising edges, six decades either way.

    Raises:
        ValueError: if ``free_bits`` is negative or not finite.
    """
    _require_free_bits(free_bits)
    anchor = free_bits or ANCHOR_WITHOUT_FREE_BITS
    reach = DECADES * BINS_PER_DECADE
    steps = (10.0 ** (i / BINS_PER_DECADE) for i in range(-reach, reach + 1))
    return tuple(anchor if s == 1.0 else _rounded(anchor * s, EDGE_DIGITS) for s in steps)


def trimmed(
    edges: Sequence[float], counts: Sequence[float], sums: Sequence[float]
) -> Histogram | None:
    """The histogram as a log keeps it: without the empty bins at its ends.

    Args:
        edges: rising edges.
        counts: values per bin, one bin more than edges.
        sums: their sums, in nats.

    Returns:
        The bins from the first to the last that holds something, between two
        that are open and empty; None where none holds anything.
    """
    filled = [i for i, count in enumerate(counts) if count > 0]
    if not filled:
        return None
    # the open bins at the ends of the range have only one edge to keep
    first, last = max(filled[0] - 1, 0), min(filled[-1] + 1, len(counts) - 1)
    return Histogram(
        edges=tuple(edges[first:last]),
        counts=tuple(int(count) for count in counts[first : last + 1]),
        sums=tuple(_rounded(total, SUM_DIGITS) for total in sums[first : last + 1]),
    )


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


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _require_free_bits(free_bits: float) -> None:
    if not math.isfinite(free_bits) or free_bits < 0.0:
        raise ValueError(f"free_bits must be finite and 0 or more, got {free_bits}")
