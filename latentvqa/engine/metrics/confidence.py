"""Can the confidence be trusted? Calibration, ranking and what abstaining buys.

From the confidence of each answer and whether it was right; nothing here looks
at a model.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from latentvqa.core.estimates import Estimate
from latentvqa.core.results.confidence import Bin, Confidence
from latentvqa.engine.metrics.intervals import (
    estimate_of,
    image_resamples,
    mean_with_interval,
)

BINS = 15
COVERAGES = (0.5, 0.8, 0.9)
RISKS = (0.01, 0.05)
_RESAMPLES = 300
_CURVE_POINTS = 200


def judge_confidence(
    confidences: np.ndarray,
    is_right: np.ndarray,
    images: np.ndarray,
    logit_temperature: float = 1.0,
) -> Confidence:
    """Estimate how well confidences tell right answers from wrong ones.

    Args:
        confidences: probability of each answer, shape ``(rows,)``.
        is_right: 1 where the answer is right, else 0, shape ``(rows,)``.
        images: image of each row; the unit of every interval.
        logit_temperature: what the logits were divided by.
    """
    confidences = np.clip(confidences.astype(np.float64), 0.0, 1.0)
    is_right = is_right.astype(np.float64)
    _, index = np.unique(images, return_inverse=True)
    risks = risk_curve(confidences, is_right)

    def measured(statistic: Callable[[np.ndarray], float]) -> Estimate:
        rows, count = np.arange(len(index)), int(index.max()) + 1
        values = [
            statistic(np.repeat(rows, drawn[index].astype(np.int64)))
            for drawn in image_resamples(count, _RESAMPLES)
        ]
        return estimate_of(statistic(rows), np.array(values), rows=len(rows), images=count)

    def ranked(rows: np.ndarray) -> float:
        found = auroc(confidences[rows], is_right[rows])
        return 1.0 if found is None else found  # a resample without mistakes

    has_both = 0.0 < is_right.mean() < 1.0
    return Confidence(
        logit_temperature=logit_temperature,
        calibration_error=measured(
            lambda rows: calibration_error(confidences[rows], is_right[rows])
        ),
        brier=mean_with_interval((confidences - is_right) ** 2, images),
        auroc=measured(ranked) if has_both else None,
        aurc=measured(lambda rows: float(risk_curve(confidences[rows], is_right[rows]).mean())),
        accuracy_at_coverage={at: 1.0 - float(risks[_last(at, len(risks))]) for at in COVERAGES},
        coverage_at_risk={at: _coverage_at(risks, at) for at in RISKS},
        reliability=reliability(confidences, is_right),
        risk_coverage=_thinned(risks),
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
