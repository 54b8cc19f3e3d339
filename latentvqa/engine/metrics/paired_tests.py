"""Paired differences of arms: over seeds and over images, and what they can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from latentvqa.core.estimates import Estimate
from latentvqa.engine.metrics.intervals import COVERAGE, mean_with_interval

POWER = 0.8
_QUANTILES = 4_000  # of the spread that a few seeds may show

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
    return mean_with_interval(np.array(differences), np.array(images), quantity="difference")


def p_of_no_difference(over_seeds: Estimate, over_images: Estimate | None) -> float | None:
    """Two-sided p-value of the paired t test over seeds; of the images with one seed.

    The interval over images counts as that of a normal distribution whose width is
    that of its side towards 0, so that p is below 5 % where it leaves 0 out.

    Args:
        over_seeds: as :func:`difference_over_seeds` gives it.
        over_images: as :func:`difference_over_images` gives it.
    """
    if over_seeds.n > 1:
        error, distribution = _error(over_seeds), stats.t(over_seeds.n - 1)
        value = over_seeds.value
    elif over_images is not None and over_images.low is not None and over_images.high is not None:
        value, distribution = over_images.value, stats.norm
        end = over_images.low if value > 0.0 else over_images.high
        error = abs(value - end) / float(stats.norm.ppf(0.5 + COVERAGE / 2.0))
    else:
        return None
    if error == 0.0:
        return 0.0 if value else 1.0
    return 2.0 * float(distribution.sf(abs(value) / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm 1979, Scand. J. Statist. 6:65), in their order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return corrected


def smallest_detectable_difference(over_seeds: Sequence[Estimate]) -> float | None:
    """The difference that the paired t test over seeds shows in four of five repetitions.

    At the fewest seeds of the arms, the pooled spread of their differences, and the
    level that the most significant of so many arms must reach.

    Args:
        over_seeds: of each arm, as :func:`difference_over_seeds` gives it.

    Returns:
        In the unit of the differences; None where no arm has two seeds or none of
        them differ in their differences.
    """
    known = [one for one in over_seeds if one.n > 1]
    if not known:
        return None
    freedom = sum(one.n - 1 for one in known)
    variance = sum((one.n - 1) * one.n * _error(one) ** 2 for one in known) / freedom
    if variance <= 1e-18:
        return None
    seeds = min(one.n for one in known)
    level = (1.0 - COVERAGE) / len(known)
    return standard_errors_to_show(seeds, level) * float((variance / seeds) ** 0.5)


def standard_errors_to_show(seeds: int, level: float) -> float:
    """True difference, in standard errors of its mean, that is shown with 80 % power.

    Args:
        seeds: pairs; at least 2.
        level: of the two-sided t test.
    """
    needed = float(stats.t.isf(level / 2.0, seeds - 1))
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    limits = needed * np.sqrt(stats.chi2.ppf(shares, seeds - 1) / (seeds - 1))

    def lacking(difference: float) -> float:
        shown = stats.norm.cdf(difference - limits) + stats.norm.cdf(-difference - limits)
        return float(shown.mean()) - POWER

    return float(brentq(lacking, 0.0, 4.0 * needed + 4.0))


def _error(over_seeds: Estimate) -> float:
    """Standard error of a mean difference, from the width of its interval."""
    assert over_seeds.high is not None
    reach = over_seeds.high - over_seeds.value
    return reach / float(stats.t.ppf(0.5 + COVERAGE / 2.0, over_seeds.n - 1))
