"""What the image-blind models of a run say of a table: the floor that an image must raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import PRIOR, BlindModels
from latentvqa.data.blind.rows import blind_rows
from latentvqa.data.tokenizer import UNK

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlindScores:
    """Scores of every blind model on every row of a table.

    Attributes:
        is_judged: whether a row's target is neither cut nor holds a token that no
            training target has; all rows where no row is, shape ``(rows,)``.
        nats: what its target costs, by model, ``(rows,)`` each.
        matches: whether it is answered rightly, by model, ``(rows,)`` each.
        images: image of each row, ``(rows,)``.
    """

    is_judged: NDArray[np.bool_]
    nats: Mapping[str, Floats]
    matches: Mapping[str, NDArray[np.bool_]]
    images: NDArray[np.int64]

    def select(self, rows: NDArray[np.int64]) -> BlindScores:
        """The scores of these rows."""
        return BlindScores(
            self.is_judged[rows],
            {name: nats[rows] for name, nats in self.nats.items()},
            {name: right[rows] for name, right in self.matches.items()},
            self.images[rows],
        )

    @property
    def prior_nll(self) -> float:
        """Nats per answer of the answer prior, on the judged rows."""
        return float(self.nats[PRIOR][self.is_judged].mean())

    @cached_property
    def best(self) -> str:
        """The model with the least loss on the judged rows."""
        return min(self.nats, key=lambda name: float(self.nats[name][self.is_judged].mean()))

    @property
    def blind_nll(self) -> float:
        """Nats per answer of that model."""
        return float(self.nats[self.best][self.is_judged].mean())

    @property
    def exact_match(self) -> dict[str, float]:
        """Share of all rows that each model answers rightly."""
        return {name: float(right.mean()) for name, right in self.matches.items()}

    def by_name(self) -> dict[str, dict[str, float]]:
        """Loss and exact match of each model, for the header of a log."""
        return {
            name: {
                "nll": float(self.nats[name][self.is_judged].mean()),
                "exact_match": float(self.matches[name].mean()),
            }
            for name in self.nats
        }

    def image_gain(self, answer_nll: Floats) -> tuple[float, float]:
        """What a model knows of the judged rows beyond the best blind one.

        Args:
            answer_nll: nats of each row's target under the model, ``(rows,)``.

        Returns:
            The gain in nats per answer, and its standard error over images.
        """
        gains = (self.nats[self.best] - answer_nll)[self.is_judged]
        _, index = np.unique(self.images[self.is_judged], return_inverse=True)
        mean, images = float(gains.mean()), int(index.max()) + 1
        if images < 2:
            return mean, 0.0
        residuals = np.bincount(index, weights=gains - mean)
        spread = float(np.square(residuals).sum()) * images / (images - 1)
        return mean, spread**0.5 / len(gains)


def score_blindly(models: BlindModels, encoded: EncodedTable, language: str) -> BlindScores:
    """Score a table with the models of a run.

    Args:
        models: fitted on the training rows.
        encoded: the table, by the tokenizers of the run.
        language: whose rules answers are normalised by; empty for none.
    """
    rows = blind_rows(encoded, language)
    known = models.tokens.counts.keys() - {UNK}
    is_known = np.fromiter((known >= set(key) for key in rows.keys), bool, len(rows))
    is_judged = is_known & ~encoded.is_answer_cut
    if not is_judged.any():
        is_judged = np.ones(len(rows), dtype=bool)
    return BlindScores(is_judged, models.nats(rows), models.matches(rows), rows.images)


@dataclass(frozen=True, eq=False)
class BlindFloor:
    """What a training is measured against.

    Attributes:
        train_prior: nats of each training row's target under the answer prior,
            shape ``(rows,)``.
        val: all models on the validation rows.
    """

    train_prior: Floats
    val: BlindScores


def floor_of(
    models: BlindModels, train: EncodedTable, val: EncodedTable, language: str
) -> BlindFloor:
    """Score both sides of a run's data."""
    rows = blind_rows(train, language)
    return BlindFloor(models.prior_nats(rows), score_blindly(models, val, language))
