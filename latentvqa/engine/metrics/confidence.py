"""Can the confidence be trusted? Calibration, ranking and what abstaining buys.

From the confidence of each answer and whether it was right; nothing here looks
at a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import rankdata

from latentvqa.core.estimates import Estimate
from latentvqa.core.results.confidence import FEWEST_TO_RANK, Bin, Confidence
from latentvqa.engine.metrics.intervals import (
    estimate_of,
    image_resamples,
    mean_with_interval,
)

BINS = 15
COVERAGES = (0.5, 0.8, 0.9)
RISKS = (0.01, 0.05)
_RESAMPLES = 300
_SIMULATIONS = 300
_CURVE_POINTS = 200


def judge_confidence(
    confidences: np.ndarray,
    is_right: np.ndarray,
    images: np.ndarray,
    logit_temperature: float = 1.0,
    log_probabilities: np.ndarray | None = None,
) -> Confidence:
    """Estimate how well confidences tell right answers from wrong ones.

    Args:
        confidences: probability of each answer, shape ``(rows,)``.
        is_right: 1 where the answer is right, else 0, shape ``(rows,)``.
        images: image of each row; the unit of every interval.
        logit_temperature: what the logits were divided by.
        log_probabilities: of each answer by the logits as they are, ``(rows,)``.
            Answers are ordered by it, since a temperature that was fitted to other
            rows may order them worse; without it, by the confidences.
    """
    confidences = np.clip(confidences.astype(np.float64), 0.0, 1.0)
    is_right = is_right.astype(np.float64)
    _, index = np.unique(images, return_inverse=True)
    order = confidences if log_probabilities is None else log_probabilities.astype(np.float64)
    risks = risk_curve(order, is_right)

    def measured(statistic: Callable[[np.ndarray], float]) -> Estimate:
        rows, count = np.arange(len(index)), int(index.max()) + 1
        values = [
            statistic(np.repeat(rows, drawn[index].astype(np.int64)))
            for drawn in image_resamples(count, _RESAMPLES)
        ]
        return estimate_of(statistic(rows), np.array(values), rows=len(rows), images=count)

    def ranked(rows: np.ndarray) -> float:
        found = auroc(order[rows], is_right[rows])
        return 1.0 if found is None else found  # a resample without mistakes

    ranking = None
    if rarer := int(min(is_right.sum(), (1.0 - is_right).sum())):
        ranking = measured(ranked)
        if rarer < FEWEST_TO_RANK:
            ranking = replace(ranking, low=None, high=None)
    return Confidence(
        logit_temperature=logit_temperature,
        calibration_error=measured(
            lambda rows: calibration_error(confidences[rows], is_right[rows])
        ),
        brier=mean_with_interval((confidences - is_right) ** 2, images),
        auroc=ranking,
        aurc=measured(lambda rows: float(risk_curve(order[rows], is_right[rows]).mean())),
        accuracy_at_coverage={at: 1.0 - float(risks[_last(at, len(risks))]) for at in COVERAGES},
        coverage_at_risk={at: _coverage_at(risks, at) for at in RISKS},
        reliability=reliability(confidences, is_right),
        risk_coverage=_thinned(risks),
        calibration_error_if_calibrated=error_if_calibrated(confidences),
        calibration_error_debiased=debiased_error(reliability(confidences, is_right)),
    )


def reliability(confidences: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal width over [0, 1]; a confidence of exactly 1 is in the last."""
    places = np.minimum((confidences * bins).astype(np.int64), bins - 1)
    rows = np.bincount(places, minlength=bins)
    shared = np.maximum(rows, 1)
    confidence = np.bincount(places, weights=confidences, minlength=bins) / shared
    accuracy = np.bincount(places, weights=is_right, minlength=bins) / shared
    return tuple(
        Bin(place / bins, (place + 1) / bins, int(rows[place]), *map(float, pair))
        for place, pair in enumerate(zip(confidence, accuracy, strict=True))
    )


def calibration_error(confidences: np.ndarray, is_right: np.ndarray) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their rows."""
    bins = reliability(confidences, is_right)
    return sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / len(is_right)


def error_if_calibrated(confidences: np.ndarray, seed: int = 0) -> Estimate:
    """The calibration error that these confidences would show if each were true.

    Args:
        confidences: probability of each answer, shape ``(rows,)``.
        seed: of the answers that are drawn as right or wrong by them.

    Returns:
        The mean over the draws, and what 95 % of them lie between. Rows are drawn
        one by one; questions that succeed and fail together would show more.
    """
    draws = np.random.default_rng(seed)
    drawn = [
        calibration_error(confidences, (draws.random(len(confidences)) < confidences).astype(float))
        for _ in range(_SIMULATIONS)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(float(np.mean(drawn)), float(low), float(high), len(confidences))


def debiased_error(bins: Sequence[Bin]) -> float:
    """Root mean squared distance of confidence and accuracy, less what chance adds.

    The squared distance of a bin is in expectation too large by the variance of
    its accuracy (Kumar et al. 2019, arXiv:1909.10155, section 5); a bin of one
    row has no such estimate and counts as 0.
    """
    squares = (
        one.rows
        * (
            (one.confidence - one.accuracy) ** 2
            - one.accuracy * (1.0 - one.accuracy) / (one.rows - 1)
        )
        for one in bins
        if one.rows > 1
    )
    return math.sqrt(max(0.0, sum(squares)) / sum(one.rows for one in bins))


def auroc(confidences: np.ndarray, is_right: np.ndarray) -> float | None:
    """Area under the ROC curve of "this answer is right", by ranks (Mann and Whitney)."""
    right = int(is_right.sum())
    wrong = len(is_right) - right
    if not right or not wrong:
        return None
    ranks = rankdata(confidences)[is_right > 0].sum()
    return float((ranks - right * (right + 1) / 2) / (right * wrong))


def risk_curve(confidences: np.ndarray, is_right: np.ndarray) -> np.ndarray:
    """Share of wrong answers among the n most confident, for n = 1 to all.

    Answers of equal confidence stand in for each other: within a tie the errors
    are spread evenly, so that the order of the rows does not count.
    """
    levels, group = np.unique(-confidences, return_inverse=True)
    rows = np.bincount(group, minlength=len(levels))
    wrong = np.bincount(group, weights=1.0 - is_right, minlength=len(levels))
    errors = np.repeat(wrong / rows, rows).cumsum()
    return np.asarray(errors / np.arange(1, len(confidences) + 1))


def _last(coverage: float, rows: int) -> int:
    return max(0, round(coverage * rows) - 1)


def _coverage_at(risks: np.ndarray, risk: float) -> float:
    allowed = np.flatnonzero(risks <= risk + 1e-12)
    return float(allowed[-1] + 1) / len(risks) if len(allowed) else 0.0


def _thinned(risks: np.ndarray) -> tuple[tuple[float, float], ...]:
    count = min(len(risks), _CURVE_POINTS)
    places = np.unique((np.arange(1, count + 1) * len(risks) / count).astype(np.int64) - 1)
    return tuple(((int(place) + 1) / len(risks), float(risks[place])) for place in places)
