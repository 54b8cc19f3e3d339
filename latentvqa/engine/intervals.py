"""Bootstrap confidence intervals of a share, with images as the unit.

Questions about one image succeed and fail together; resampling rows would
pretend that they are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
COVERAGE = 0.95
_BLOCK = 100


@dataclass(frozen=True)
class Measure:
    """A mean with its interval.

    Attributes:
        value: the mean over rows.
        low: lower end of the 95 % interval.
        high: upper end.
        n: rows.
    """

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """As plain values."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def mean_with_interval(values: np.ndarray, images: np.ndarray, seed: int = 0) -> Measure:
    """Mean of per-row values with a percentile bootstrap over images.

    Args:
        values: one number per row, shape ``(rows,)``. The differences of two
            models on the same rows make the bootstrap a paired one.
        images: image of each row, shape ``(rows,)``.
        seed: of the resampling.
    """
    _, index = np.unique(images, return_inverse=True)
    sums = np.bincount(index, weights=values.astype(np.float64))
    counts = np.bincount(index).astype(np.float64)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES // _BLOCK):
        draws = rng.integers(0, len(sums), size=(_BLOCK, len(sums)))
        means.append(sums[draws].sum(1) / counts[draws].sum(1))
    tail = (1.0 - COVERAGE) / 2.0
    low, high = np.quantile(np.concatenate(means), [tail, 1.0 - tail])
    return Measure(float(values.mean()), float(low), float(high), len(values))
