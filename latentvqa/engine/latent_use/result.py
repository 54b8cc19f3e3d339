"""Does the latent matter? What was found, and how it is written down.

What the numbers mean in a word is the rule of :mod:`latentvqa.core.latent_use`;
how they were found is told in :mod:`latentvqa.engine.latent_use.experiments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.engine.metrics.intervals import Measure
from latentvqa.engine.metrics.mutual_information import BIAS, ESTIMATOR, MutualInformation

BASE = "posterior_mean"
SHUFFLED = "latents_shuffled"
OTHER_IMAGE = "image_shuffled"


@dataclass(frozen=True)
class Arm:
    """One intervention.

    Attributes:
        exact_match: share of right answers.
        answer_nll: nats per reference answer.
        flip_rate: share of answers that differ from those of the base arm.
        difference: exact match minus that of the base arm, paired by row; its
            interval is bootstrapped over images.
    """

    exact_match: Measure
    answer_nll: Measure
    flip_rate: Measure
    difference: Measure

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {name: getattr(self, name).to_json() for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Information:
    """What the latent can carry and what was learnt, in nats.

    Attributes:
        bound: at ``temperature``; None without a Gaussian bottleneck.
        gain: H(A) minus the answer loss per answer.
        answer_entropy: H(A) of these rows.
        temperature: of the latent when bound and gain were taken.
        mutual: I(x; z) at that temperature; None in the short form.
    """

    bound: float | None
    gain: float
    answer_entropy: float
    temperature: float | None
    mutual: MutualInformation | None


@dataclass(frozen=True, eq=False)
class LatentUse:
    """All evidence and the verdict.

    Attributes:
        verdict: one word and its sentence; None without latent tokens.
        arms: the base arm first, by name.
        rows: rows of the table that were examined, shape ``(n,)``.
        images: distinct images of these.
        same_question: share of rows whose shuffled latent answers the same
            question about another image.
        tokens: K; 0 without latent tokens.
        movement: how far the latent moves when an input is changed, as a share
            of the mean squared distance between two examples.
        cosine: mean cosine between the latents of two examples.
        active_units: units whose mean varies over the rows; None without any.
        units: K x Z.
        information: bound, gain and mutual information.
        attention: of each latent token over patches and question summary,
            ``(n, K, P + 1)``; None in the short form.
        grid: rows and columns of the patches.
    """

    verdict: LatentUseVerdict | None
    arms: dict[str, Arm]
    rows: np.ndarray
    images: int
    same_question: float
    tokens: int
    movement: dict[str, Measure]
    cosine: Measure | None
    active_units: int | None
    units: int
    information: Information
    attention: np.ndarray | None
    grid: tuple[int, int]

    @property
    def token_ranking(self) -> list[int]:
        """Latent tokens, the one whose removal costs most first."""
        arms = [self.arms.get(f"without_token_{token}") for token in range(self.tokens)]
        known = [(token, arm) for token, arm in enumerate(arms) if arm is not None]
        order = sorted(
            known, key=lambda item: (item[1].exact_match.value, -item[1].answer_nll.value)
        )
        return [token for token, _ in order]

    def to_json(self) -> dict[str, Any]:
        """As plain values; attention is averaged over the rows."""
        information, mutual = self.information, self.information.mutual
        return {
            "verdict": None
            if self.verdict is None
            else {"word": self.verdict.word, "sentence": self.verdict.sentence},
            "questions": len(self.rows),
            "images": self.images,
            "same_question_share": self.same_question,
            "arms": {name: arm.to_json() for name, arm in self.arms.items()},
            "movement": {name: measure.to_json() for name, measure in self.movement.items()},
            "cosine": None if self.cosine is None else self.cosine.to_json(),
            "active_units": self.active_units,
            "units": self.units,
            "token_ranking": self.token_ranking,
            "information": {
                "bound": information.bound,
                "answer_gain": information.gain,
                "answer_entropy": information.answer_entropy,
                "temperature": information.temperature,
            },
            "mutual_information": None
            if mutual is None
            else {
                "value": mutual.nats,
                "log_n": mutual.ceiling,
                "n": mutual.examples,
                "temperature": mutual.temperature,
                "is_at_ceiling": mutual.is_at_ceiling,
                "estimator": ESTIMATOR,
                "bias": BIAS,
            },
            "attention": None
            if self.attention is None
            else {
                "grid": list(self.grid),
                "mean": self.attention.mean(0, dtype=np.float64).round(6).tolist(),
            },
        }
