"""Answers to a few validation questions, the same ones after every few epochs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleAnswer:
    """What the model said to one validation question after an epoch.

    Attributes:
        epoch: 0-based number of the epoch.
        row: of the question in its table, counted as messages count rows.
        image: as the table names it.
        question: its text.
        answer: generated from the latent mean.
        confidence: probability of the whole answer, before any calibration.
        reference: the answer of the table.
        is_right: whether the answer equals a reference.
    """

    epoch: int
    row: int
    image: str
    question: str
    answer: str
    confidence: float
    reference: str
    is_right: bool
