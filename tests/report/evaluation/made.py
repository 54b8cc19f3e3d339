"""An evaluation of round numbers."""

from dataclasses import replace

from latentvqa.core.estimates import Estimate
from latentvqa.core.results.confidence import Confidence
from latentvqa.core.results.evaluation import EvaluationResult, Losses, SeenAnswers, TypeScores


def share(value, n=1000):
    return Estimate(value, value - 0.02, value + 0.02, n)


MADE = EvaluationResult(
    run="runs/made",
    checkpoint="0009-00000100",
    table="test.csv",
    questions=1000,
    images=250,
    language="en",
    metrics={"exact_match": share(0.75), "answer_nll": Estimate(1.25, 1.0, 1.5, 1000)},
    protocols={"exact_match": "equal after normalisation"},
    losses=Losses(answer_loss=0.4, answer_nll=1.25),
    priors={"answers": 0.3, "question_text": 0.5},
    types={"colour": TypeScores(share(0.9, 600), 0.5)},
    seen_answers=SeenAnswers(0.99, {"0": share(0.1, 10), "1 to 9": share(0.6, 90)}),
    confidence=Confidence(
        logit_temperature=1.0,
        calibration_error=share(0.05),
        brier=share(0.1),
        auroc=share(0.8),
        aurc=share(0.07),
        accuracy_at_coverage={0.5: 0.95},
        coverage_at_risk={0.05: 0.4},
        reliability=(),
        risk_coverage=(),
    ),
    latent_use=None,
)


def made_evaluation(**changes):
    return replace(MADE, **changes)
