"""Distinct questions, encoded once where the language model behind them is frozen."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from latentvqa.data.batches import EncodedTable
from latentvqa.engine.runtime.observer import Observer
from latentvqa.models import PretrainedQuestionEncoder, VQAModel
from latentvqa.stopping import poll


def remember_questions(
    model: VQAModel, tables: Sequence[EncodedTable], device: torch.device, observer: Observer
) -> None:
    """Let a frozen question encoder keep its vectors of every question of some tables.

    Args:
        model: on its device; any other question encoder is left alone.
        tables: what it will be asked.
        device: where it lies.
        observer: receives progress.

    Raises:
        Interrupted: at a signal.
    """
    encoder = model.question
    if not isinstance(encoder, PretrainedQuestionEncoder) or not encoder.is_frozen:
        return

    def on_progress(done: int, total: int) -> None:
        observer.progress("questions", done, total)
        poll()

    was_training = encoder.training
    encoder.eval()
    questions = [ids for table in tables for ids in table.distinct_questions()]
    encoder.remember(questions, device, on_progress)
    encoder.train(was_training)
