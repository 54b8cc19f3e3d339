"""Bootstrap confidence intervals with images as the unit.

Questions about one image succeed and fail together; resampling rows would
pretend that they are independent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
COVERAGE = 0.95
_BLOCK = 100


@dataclass(frozen=True)
class Measure:
    """A value with its interval.

    Attributes:
        value: of all rows.
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
    means = []
    for weights in _weight_blocks(len(sums), RESAMPLES, seed):
        means.append((weights @ sums) / (weights @ counts))
    low, high = interval(np.concatenate(means))
    return Measure(float(values.mean()), low, high, len(values))


def image_resamples(images: int, resamples: int, seed: int = 0) -> Iterator[np.ndarray]:
    """How often each image is drawn in each resample, shape ``(images,)`` each."""
    for block in _weight_blocks(images, resamples, seed):
        yield from block


def interval(values: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % percentile interval of resampled values."""
    tail = (1.0 - COVERAGE) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)


def _weight_blocks(images: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _BLOCK):
        count = min(_BLOCK, resamples - start)
        draws = rng.integers(0, images, size=(count, images))
        draws += np.arange(count)[:, None] * images
        weights = np.bincount(draws.ravel(), minlength=count * images)
        yield weights.reshape(count, images).astype(np.float64)
