"""Intervals of shares over images, honest near 0 and 1 as well.

Resampling rows that are all right gives an interval without width, although of
200 images without an error 1.8 % may have one. Here the binomial interval is
taken at the number of independent rows that the spread between images amounts
to (Korn and Graubard 1998, Survey Methodology 24:193); where fewer than five
images hold an error (or fewer than five a right row) that spread is not to be
trusted, and an image counts as one trial.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FEWEST_IMAGES = 5  # with a row of the rarer kind
FEWEST_CHANGED = 10  # images with a changed row, below which differences are not resampled

Floats = NDArray[np.float64]


def binomial_ends(share: float, size: float, tail: float) -> tuple[float, float]:
    """Ends of the interval of Clopper and Pearson 1934, for sizes that need not be whole.

    Args:
        share: observed, in [0, 1].
        size: independent trials.
        tail: probability left out on each side.
    """
    hits = share * size
    low = 0.0 if hits <= 0.0 else float(stats.beta.ppf(tail, hits, size - hits + 1.0))
    high = 1.0 if hits >= size else float(stats.beta.ppf(1.0 - tail, hits + 1.0, size - hits))
    return low, high


def share_ends(sums: Floats, counts: Floats, tail: float) -> tuple[float, float]:
    """Ends of the interval of a share.

    Args:
        sums: of the rows' values, each in [0, 1], by image, shape ``(images,)``.
        counts: rows of each image, ``(images,)``; two images or more.
        tail: probability left out on each side.
    """
    rows, images = float(counts.sum()), len(counts)
    share = float(sums.sum()) / rows
    rarer = sums if share <= 0.5 else counts - sums
    size = float(counts.sum() ** 2 / np.square(counts).sum())  # Kish 1965: images of equal weight
    if np.count_nonzero(rarer > 0.0) >= FEWEST_IMAGES:
        spread = float(np.square(sums - share * counts).sum()) / rows**2 * images / (images - 1)
        trials = min(rows, share * (1.0 - share) / spread) if spread > 0.0 else rows
        narrower = stats.t.ppf(1.0 - tail, rows - 1.0) / stats.t.ppf(1.0 - tail, images - 1.0)
        size = trials * float(narrower) ** 2
    return binomial_ends(share, size, tail)


def rare_ends(
    values: Floats, image_index: NDArray[np.int64], tail: float
) -> tuple[float, float] | None:
    """Ends of the mean of values in [0, 1], where resampling fails.

    Args:
        values: of each row, shape ``(rows,)``.
        image_index: place of its image, ``(rows,)``.
        tail: probability left out on each side.

    Returns:
        Low and high; None for other values, and for values between 0 and 1 of
        which enough images differ to resample them.
    """
    if values.min() < 0.0 or values.max() > 1.0:
        return None
    if not np.isin(values, (0.0, 1.0)).all():
        extreme = 1.0 if values.mean() > 0.5 else 0.0
        if _images_with(values != extreme, image_index) >= FEWEST_IMAGES:
            return None
    return share_ends(*_sums(values, image_index), tail)


def rare_difference_ends(
    values: Floats, image_index: NDArray[np.int64], tail: float
) -> tuple[float, float] | None:
    """Ends of the mean difference of two shares on the same rows, where resampling fails.

    Args:
        values: -1, 0 or 1 for each row, shape ``(rows,)``.
        image_index: place of its image, ``(rows,)``.
        tail: probability left out on each side.

    Returns:
        Low and high; None where enough images differ to resample them.
    """
    kinds = [_images_with(values != one, image_index) for one in (-1.0, 0.0, 1.0)]
    if min(kinds) >= FEWEST_CHANGED:
        return None
    gained, lost = (
        share_ends(*_sums(part, image_index), tail)
        for part in (values.clip(min=0.0), (-values).clip(min=0.0))
    )
    return gained[0] - lost[1], gained[1] - lost[0]


def _images_with(is_so: NDArray[np.bool_], image_index: NDArray[np.int64]) -> int:
    return len(np.unique(image_index[is_so]))


def _sums(values: Floats, image_index: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Sum of the values, and rows, of each image."""
    sums = np.bincount(image_index, weights=values).astype(np.float64)
    return sums, np.bincount(image_index).astype(np.float64)
