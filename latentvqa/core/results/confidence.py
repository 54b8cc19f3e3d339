"""How far the confidences of a table's answers can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentvqa.core.estimates import Estimate

# right and wrong answers, below which resampling says too little of an AUROC
FEWEST_TO_RANK = 20


@dataclass(frozen=True)
class Bin:
    """Answers of like confidence.

    Attributes:
        low: least confidence of the bin.
        high: largest, belonging to it in the last bin alone.
        rows: answers in it.
        confidence: their mean confidence; 0 without any.
        accuracy: share that is right; 0 without any.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Confidence:
    """How good the confidences of a table's answers are.

    Attributes:
        logit_temperature: what the logits were divided by.
        calibration_error: expected calibration error over 15 bins of equal
            width (Guo et al. 2017, arXiv:1706.04599).
        brier: mean squared difference of confidence and being right.
        auroc: chance that a right answer is more confident than a wrong one,
            ties half; None where all are right or all wrong, without an interval
            below ``FEWEST_TO_RANK`` right or wrong answers.
        aurc: area under the risk-coverage curve (Geifman and El-Yaniv 2017,
            arXiv:1705.08500): mean error over all coverages, lower is better.
        accuracy_at_coverage: share right among the most confident, by coverage.
        coverage_at_risk: largest share that can be answered at a risk, by risk.
        reliability: bins of the reliability diagram.
        risk_coverage: coverage and risk, from the most confident answer on.
        calibration_error_if_calibrated: the calibration error that true
            confidences would show on as many independent rows: its mean, and what
            19 of 20 such tables lie between. None in files of earlier versions.
        calibration_error_debiased: root mean square of the distances in the bins
            less what chance adds to them (Kumar et al. 2019, arXiv:1909.10155),
            0 where chance adds more. None in files of earlier versions.
    """

    logit_temperature: float
    calibration_error: Estimate
    brier: Estimate
    auroc: Estimate | None
    aurc: Estimate
    accuracy_at_coverage: Mapping[float, float]
    coverage_at_risk: Mapping[float, float]
    reliability: tuple[Bin, ...]
    risk_coverage: tuple[tuple[float, float], ...]
    calibration_error_if_calibrated: Estimate | None = None
    calibration_error_debiased: float | None = None

    @property
    def right(self) -> int:
        """Answers that are right."""
        return round(sum(one.rows * one.accuracy for one in self.reliability))

    @property
    def wrong(self) -> int:
        """Answers that are wrong."""
        return sum(one.rows for one in self.reliability) - self.right
