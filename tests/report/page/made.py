"""An evaluation with all that the page can show, of round numbers."""

from dataclasses import replace

from latentvqa.core.results.confidence import Bin
from latentvqa.core.results.latent_use import MeanAttention
from tests.report.evaluation.made import made_evaluation
from tests.report.evaluation.test_latent_use import FOUND, arm

CONFIDENCE = replace(
    made_evaluation().confidence,
    reliability=(
        Bin(0.0, 0.5, 20, 0.4, 0.1),
        Bin(0.5, 0.75, 0, 0.0, 0.0),
        Bin(0.75, 1.0, 80, 0.9, 0.9),
    ),
    risk_coverage=((0.5, 0.05), (1.0, 0.25)),
)
ATTENTION = MeanAttention((1, 2), ((0.2, 0.4, 0.4), (0.5, 0.0, 0.5)))
USE = replace(
    FOUND,
    arms={**FOUND.arms, "image_shuffled": arm(0.35, -0.4, 3.5, 0.46)},
    attention=ATTENTION,
)
WHOLE = made_evaluation(confidence=CONFIDENCE, latent_use=USE)
