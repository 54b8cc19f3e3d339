"""Paired differences of two arms: over seeds and over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import numpy as np
from scipy import stats

from latentvqa.core.estimates import Estimate
from latentvqa.engine.metrics.intervals import COVERAGE, mean_with_interval

# what makes a row of a prediction file the same question in two runs, and its image
RowKey = tuple[str, ...]


def difference_over_seeds(differences: Sequence[float]) -> Estimate:
    """Mean of paired differences with the interval of the paired t test.

    Args:
        differences: one per seed, at least one; a single one has no interval.
    """
    count, value = len(differences), mean(differences)
    if count < 2:
        return Estimate(value, None, None, count)
    reach = float(stats.t.ppf(0.5 + COVERAGE / 2.0, count - 1)) * stdev(differences) / count**0.5
    return Estimate(value, value - reach, value + reach, count)


def difference_over_images(
    pairs: Sequence[tuple[Mapping[RowKey, bool], Mapping[RowKey, bool]]],
) -> Estimate | None:
    """Mean difference of correctness, with a paired bootstrap over images.

    The runs are taken as they are: the interval is about other images, not about
    other seeds. An image that several seeds validate on is one unit.

    Args:
        pairs: for every seed, whether each row is right in the arm and in the
            default. The first part of a row's key is its image.

    Returns:
        The difference arm minus default; None where the rows of a pair are not
        the same.
    """
    if not pairs or any(arm.keys() != default.keys() for arm, default in pairs):
        return None
    differences = [
        float(arm[row]) - float(default[row]) for arm, default in pairs for row in default
    ]
    images = [row[0] for _, default in pairs for row in default]
    return mean_with_interval(np.array(differences), np.array(images))
