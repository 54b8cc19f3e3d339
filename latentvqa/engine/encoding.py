"""What every pass over a table begins with and ends in: batches encoded, answers generated.

It neither scores nor interferes; whoever asks reads the latents as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from latentvqa.data.batches import Batch, BatchLoader, EncodedTable, ImageSource, plan_batches
from latentvqa.data.tokenizer import BOS, EOS, PAD
from latentvqa.engine.runtime.device import Precision, autocast
from latentvqa.models import Encoded, Generated, VQAModel, generate


@dataclass(frozen=True)
class EncodingSettings:
    """How a table is encoded.

    Attributes:
        batch_size: questions per batch.
        device: where the model lies.
        precision: of the forward pass.
        workers: loader processes.
    """

    batch_size: int
    device: torch.device
    precision: Precision
    workers: int


@dataclass(frozen=True, eq=False)
class EncodedBatch:
    """A batch and what the model made of it.

    Attributes:
        batch: on the device; its ``rows`` on the host.
        encoded: fused tokens and posterior.
        count: batches of the whole pass.
    """

    batch: Batch
    encoded: Encoded
    count: int


def encoded_batches(
    model: VQAModel,
    table: EncodedTable,
    store: ImageSource,
    settings: EncodingSettings,
    *,
    most_rows: int | None = None,
    change: Callable[[Batch], Batch] = lambda batch: batch,
) -> Iterator[EncodedBatch]:
    """Encode every row of a table, the rows of an image side by side.

    Gradients are kept or not as where the iterator is read.

    Args:
        model: in the mode in which it shall encode.
        table: the questions and targets.
        store: the images.
        settings: batch size, device, precision and workers.
        most_rows: end with the batch in which so many rows are reached.
        change: what is done to a batch before the model sees it.

    Raises:
        DataError: if an image cannot be decoded.
    """
    size = settings.batch_size
    batches = plan_batches(
        table.table.image_index,
        batch_size=size,
        questions_per_image=size,
        seed=0,
        epoch=0,
        shuffle=False,
    )
    if most_rows is not None:
        batches = batches[: -(-most_rows // size)]
    for batch in BatchLoader(table, store, batches, workers=settings.workers):
        placed = change(batch).to(settings.device)
        with autocast(settings.device, settings.precision):
            encoded = model.encode(placed.images, placed.image_index, placed.question_tokens)
        yield EncodedBatch(placed, encoded, len(batches))


def generate_answers(
    model: VQAModel,
    memory: Tensor,
    *,
    is_sampled: bool = False,
    logit_temperature: float = 1.0,
) -> Generated:
    """Let a model answer from memory tokens ``(Q, M, D)``, until its end token."""
    return generate(
        model.decoder,
        memory,
        begin_id=BOS,
        end_id=EOS,
        pad_id=PAD,
        is_sampled=is_sampled,
        logit_temperature=logit_temperature,
    )
