"""Answers of a model whose latent, image or question was interfered with.

Every answer is generated freely; teacher-forced accuracy would let the decoder
lean on the reference. Encoding and reading are apart, so that many latents are
read after the images were encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from latentvqa.data.batches import Batch, EncodedTable, ImageSource
from latentvqa.data.tokenizer import BOS, PAD, UNK, TextTokenizer
from latentvqa.engine.answering import AnswerTexts
from latentvqa.engine.encoding import EncodedBatch, encoded_batches, generate_answers
from latentvqa.engine.features import encoded_block
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.scoring import ScoringSettings
from latentvqa.models import Encoded, Posterior, VQAModel
from latentvqa.objectives import answer_nll

Blank = Literal["image", "question"]


@dataclass(frozen=True, eq=False)
class Answered:
    """What a model said under one condition.

    Attributes:
        answers: freely generated answer of each row.
        answer_nll: nats of each reference answer, shape ``(rows,)``.
    """

    answers: list[str]
    answer_nll: np.ndarray


@dataclass(frozen=True, eq=False)
class EncodingPass:
    """What a model made of every row under one condition of its input.

    Attributes:
        answered: from the mean of the posterior, or from the fused tokens where
            there is no bottleneck.
        posterior: of each row, ``(rows, K, Z)`` on the CPU; None without a
            bottleneck.
        attention: of each latent token over the patches and, last, the question
            summary, ``(rows, K, P + 1)`` in fp16; None without a bottleneck.
    """

    answered: Answered
    posterior: Posterior | None
    attention: Tensor | None


@dataclass(frozen=True)
class Reading:
    """Latents that the decoder is given in place of its own.

    Attributes:
        latents: z of some rows, ``(Q, K, Z)``, from their indices ``(Q,)``.
        without_token: latent token that is zeroed, the others scaled as token
            dropout does in training.
    """

    latents: Callable[[Tensor], Tensor]
    without_token: int | None = None


class InterventionRunner:
    """Lets a model answer the rows that it is examined on, untouched or interfered with.

    Args:
        model: in eval mode.
        encoded: the rows.
        store: their images, or the features of these.
        tokenizer: of the answers.
        settings: batch size, device, precision and seed.
        on_batch: called after every batch with the name of the pass, batches
            done and batches in all; may raise to stop.
    """

    def __init__(
        self,
        model: VQAModel,
        encoded: EncodedTable,
        store: ImageSource,
        tokenizer: TextTokenizer,
        settings: ScoringSettings,
        on_batch: Callable[[str, int, int], None] = lambda name, done, total: None,
    ) -> None:
        self.model, self.encoded, self.store = model, encoded, store
        self.settings, self._on_batch = settings, on_batch
        self._texts = AnswerTexts(tokenizer)

    @property
    def has_latent(self) -> bool:
        """Whether the decoder reads latent tokens."""
        return self.model.bottleneck is not None and self.settings.is_latent_used

    @torch.no_grad()
    def encode(
        self, name: str, encoded: EncodedTable | None = None, blank: Blank | None = None
    ) -> EncodingPass:
        """Encode and answer all rows.

        Args:
            name: of the pass, for whoever watches.
            encoded: the same rows with images or questions exchanged; answers
                are scored against the references of these rows.
            blank: what is hidden: every image behind its mean colour, or every
                question behind a single unknown word.
        """
        answered = _RowAnswers(len(self.encoded))
        rows: list[Tensor] = []
        means: list[Tensor] = []
        logvars: list[Tensor | None] = []
        attention: list[Tensor] = []
        for one in self._encodings(name, encoded or self.encoded, blank):
            encoding, latents = one.encoded, None
            if self.has_latent and encoding.posterior is not None:
                latents = encoding.posterior.mu
                rows.append(one.batch.rows)
                means.append(latents.cpu())
                logvars.append(encoding.posterior.logvar)
                attention.append(self._attention(encoding))
            self._answer(one, latents, None, answered)
        if not rows:
            return EncodingPass(answered.result(), None, None)
        order = torch.cat(rows).argsort()
        known = [logvar.cpu() for logvar in logvars if logvar is not None]
        logvar = torch.cat(known)[order] if known else None
        posterior = Posterior(torch.cat(means)[order], logvar)
        return EncodingPass(answered.result(), posterior, torch.cat(attention)[order])

    @torch.no_grad()
    def read(self, readings: Mapping[str, Reading]) -> dict[str, Answered]:
        """Let the decoder answer every row from given latents, all else unchanged."""
        collected = {name: _RowAnswers(len(self.encoded)) for name in readings}
        for one in self._encodings("latents", self.encoded, None):
            for name, reading in readings.items():
                latents = reading.latents(one.batch.rows).to(self.settings.device)
                self._answer(one, latents, reading.without_token, collected[name])
        return {name: answers.result() for name, answers in collected.items()}

    def _encodings(
        self, name: str, encoded: EncodedTable, blank: Blank | None
    ) -> Iterator[EncodedBatch]:
        passes = encoded_batches(
            self.model,
            encoded,
            self.store,
            replace(self.settings, workers=0),
            change=lambda batch: batch if blank is None else self._hide(batch, blank),
        )
        for done, one in enumerate(passes, start=1):
            yield one
            self._on_batch(name, done, one.count)

    def _hide(self, batch: Batch, blank: Blank) -> Batch:
        if blank == "question":
            return replace(batch, question_tokens=torch.full((len(batch.rows), 1), UNK))
        empty = self._blank_features if batch.images.is_floating_point() else self._blank_pixels
        return replace(batch, images=empty.expand_as(batch.images).contiguous())

    @property
    def _blank_pixels(self) -> Tensor:
        return self.model.vision.mean_colour.cpu().view(1, 3, 1, 1)

    @cached_property
    def _blank_features(self) -> Tensor:
        vision, settings = self.model.vision, self.settings
        size = vision.preparation.size
        pixels = self._blank_pixels.expand(1, 3, size, size)
        return encoded_block(vision, pixels, settings.device, settings.precision)

    def _attention(self, encoding: Encoded) -> Tensor:
        with autocast(self.settings.device, self.settings.precision):
            return self.model.attention_over(encoding).half().cpu()

    def _answer(
        self,
        one: EncodedBatch,
        latents: Tensor | None,
        without_token: int | None,
        answers: _RowAnswers,
    ) -> None:
        targets = one.batch.answer_tokens
        with autocast(self.settings.device, self.settings.precision):
            memory = self.model.memory(one.encoded, latents, without_token=without_token).tokens
            logits = self.model.answer_logits(memory, targets, BOS)
            generated = generate_answers(self.model, memory)
        nll = answer_nll(logits, targets, PAD).double().cpu().numpy()
        answers.place(one.batch.rows, self._texts(generated.tokens), nll)


class _RowAnswers:
    """Answers that come in batches and belong into the table's order."""

    def __init__(self, rows: int) -> None:
        self._answers, self._nll = [""] * rows, np.zeros(rows)

    def place(self, rows: Tensor, answers: list[str], nll: np.ndarray) -> None:
        for row, text in zip(rows.tolist(), answers, strict=True):
            self._answers[row] = text
        self._nll[rows.numpy()] = nll

    def result(self) -> Answered:
        return Answered(self._answers, self._nll)
