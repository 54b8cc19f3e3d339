"""What an evaluation of a model on a table found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from latentvqa.core.estimates import Estimate
from latentvqa.core.records import SplitMetrics
from latentvqa.core.results.confidence import Confidence
from latentvqa.core.results.latent_use import LatentUse


@dataclass(frozen=True)
class TypeScores:
    """One question type: exact match of the model and of the best image-blind model.

    The latter is None where no image-blind model is known.
    """

    exact_match: Estimate
    prior: float | None


@dataclass(frozen=True)
class SeenAnswers:
    """What training had seen of the answers.

    Attributes:
        upper_bound: share of rows with a reference that the model can say, composed
            of words that it knows and short enough: exact match cannot exceed it.
        exact_match_by_times_trained_on: by how often the answer was trained on.
    """

    upper_bound: float
    exact_match_by_times_trained_on: Mapping[str, Estimate]


@dataclass(frozen=True)
class Losses:
    """Losses and latent measures of the pass, named and meant as in a record.

    What the model does not have is None.
    """

    answer_loss: float | None = None
    answer_nll: float | None = None
    total_loss: float | None = None
    kl_raw: float | None = None
    kl_after: float | None = None
    rate: float | None = None
    information_bound: float | None = None
    capacity: float | None = None
    answer_entropy: float | None = None
    prior_nll: float | None = None
    blind_nll: float | None = None
    answer_gain: float | None = None
    image_gain: float | None = None
    image_gain_error: float | None = None
    judged_rows: int | None = None
    active_units: int | None = None
    temperature: float | None = None

    @classmethod
    def of(cls, metrics: SplitMetrics) -> Losses:
        """Those of a pass."""
        return cls(**{item.name: getattr(metrics, item.name) for item in fields(cls)})


@dataclass(frozen=True)
class EvaluationResult:
    """What ``evaluate`` found.

    Attributes:
        run: what was evaluated, as the user named it.
        checkpoint: name of the checkpoint that was loaded.
        table: file of the questions.
        questions: rows that were answered.
        images: distinct images of these.
        language: whose rules the answers were normalised by; empty for none.
        metrics: scores by protocol name.
        protocols: what each of these names means.
        losses: losses and latent measures of the same pass.
        priors: exact match of each image-blind model, fitted on the training rows;
            empty where none is known.
        types: scores per question type; empty where the table has none.
        seen_answers: what training had seen of the answers; None where nobody
            wrote it down.
        confidence: how good the confidences are.
        latent_use: whether the answers rest on the latent, where it was asked
            and the table has two images or more.
        questions_cut: questions that are longer than the model reads.
        questions_with_unknown_words: questions with words that training never had.
    """

    run: str
    checkpoint: str
    table: str
    questions: int
    images: int
    language: str
    metrics: Mapping[str, Estimate]
    protocols: Mapping[str, str]
    losses: Losses
    priors: Mapping[str, float]
    types: Mapping[str, TypeScores]
    seen_answers: SeenAnswers | None
    confidence: Confidence
    latent_use: LatentUse | None
    questions_cut: int = 0
    questions_with_unknown_words: int = 0

    @property
    def best_prior(self) -> tuple[str, float] | None:
        """Name and exact match of the best image-blind model; None where none is known."""
        return max(self.priors.items(), key=lambda item: item[1], default=None)
