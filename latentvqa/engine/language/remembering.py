"""Distinct questions, encoded once where the language model behind them is frozen."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from latentvqa.engine.runtime.observer import Observer
from latentvqa.models import PretrainedQuestionEncoder, VQAModel
from latentvqa.stopping import poll


def remember_questions(
    model: VQAModel,
    questions: Sequence[Sequence[int]],
    device: torch.device,
    observer: Observer,
) -> None:
    """Let a frozen question encoder keep its vectors of some questions.

    Args:
        model: on its device; any other question encoder is left alone.
        questions: token ids of each.
        device: where the model lies.
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
    encoder.remember(questions, device, on_progress)
    encoder.train(was_training)
