"""Batches of encoded questions with each of their images once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from latentvqa.data.batch_plan import plan_batches
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import EOS, PAD, UNK, TextTokenizer, Tokenizers
from latentvqa.errors import LoaderError
from latentvqa.stopping import poll

__all__ = ["Batch", "BatchLoader", "EncodedTable", "ImageSource", "make_batch", "plan_batches"]

_POLL_SECONDS = 0.1
_SIGNAL_SECONDS = 1.0


class ImageSource(Protocol):
    """Images by index: their pixels, or what stands for them."""

    def get(self, indices: np.ndarray) -> Tensor:
        """What a batch carries for some images, shape ``(n, ...)``.

        Raises:
            DataError: if an image cannot be decoded.
        """
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Questions, their targets and their images.

    Attributes:
        images: each image once: uint8 pixels, shape ``(B, 3, H, W)``, or the
            features of a frozen backbone, ``(B, P, C)``.
        image_index: place of each question's image in ``images``, ``(Q,)``.
        question_tokens: ids padded with 0, shape ``(Q, T)``.
        answer_tokens: ids and the end token, padded with 0, shape ``(Q, A)``.
        rows: row indices into the table, shape ``(Q,)``.
    """

    images: Tensor
    image_index: Tensor
    question_tokens: Tensor
    answer_tokens: Tensor
    rows: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch with all that a model reads on a device; the rows stay on the host."""
        return Batch(
            images=self.images.to(device, non_blocking=True),
            image_index=self.image_index.to(device, non_blocking=True),
            question_tokens=self.question_tokens.to(device, non_blocking=True),
            answer_tokens=self.answer_tokens.to(device, non_blocking=True),
            rows=self.rows,
        )

    def parts(self, questions: int | None) -> Iterator[Batch]:
        """The same batch in parts, questions of one image together as far as that goes.

        Args:
            questions: most of a part; None gives the batch as it is.
        """
        if questions is None or questions >= len(self.rows):
            yield self
            return
        ordered = self.image_index.argsort(stable=True)
        for start in range(0, len(ordered), questions):
            places = ordered[start : start + questions]
            images, image_index = torch.unique(self.image_index[places], return_inverse=True)
            yield Batch(
                images=self.images[images],
                image_index=image_index,
                question_tokens=self.question_tokens[places],
                answer_tokens=self.answer_tokens[places],
                rows=self.rows[places],
            )


class EncodedTable:
    """A table with its questions and targets as token ids.

    Args:
        table: the rows.
        tokenizers: of questions and answers.
        max_question_tokens: longer questions are cut.
        max_answer_tokens: longer targets are cut; the end token comes on top.

    Attributes:
        is_question_cut: whether each row's question was cut, shape ``(rows,)``.
        is_answer_cut: whether its target was.
        has_unknown_words: whether its question has words that training never had.
    """

    def __init__(
        self,
        table: QuestionTable,
        tokenizers: Tokenizers,
        max_question_tokens: int,
        max_answer_tokens: int,
    ):
        self.table = table
        self._question_tokenizer = tokenizers.question
        self._max_question_tokens = max_question_tokens
        self._questions = _UniqueTexts(table.questions, tokenizers.question, max_question_tokens)
        self._answers = _UniqueTexts(table.targets, tokenizers.answer, max_answer_tokens)
        self.is_question_cut = self._questions.is_cut
        self.is_answer_cut = self._answers.is_cut
        self.has_unknown_words = self._questions.has_unknown

    def __len__(self) -> int:
        return len(self.table)

    def with_inputs(
        self, *, image_index: np.ndarray | None = None, questions: list[str] | None = None
    ) -> EncodedTable:
        """Return the same rows and targets, asked about other images or in other words.

        Args:
            image_index: place of each row's image, shape ``(rows,)``.
            questions: question of each row.
        """
        changed = copy(self)
        if image_index is not None:
            changed.table = replace(changed.table, image_index=image_index)
        if questions is not None:
            changed.table = replace(changed.table, questions=questions)
            changed._questions = _UniqueTexts(
                questions, self._question_tokenizer, self._max_question_tokens
            )
        return changed

    def question_ids(self, row: int) -> list[int]:
        """Return the question of a row as ids: at least one, UNK for none."""
        return self._questions.ids(row) or [UNK]

    def distinct_questions(self) -> list[list[int]]:
        """Return the ids of every question text of the table, each once."""
        return [ids or [UNK] for ids in self._questions.distinct()]

    def answer_ids(self, row: int) -> list[int]:
        """Return the target of a row as ids, with the end token."""
        return [*self._answers.ids(row), EOS]

    def target_key(self, row: int) -> tuple[int, ...]:
        """Return the target sequence as the model sees it, for counting."""
        return tuple(self.answer_ids(row))


def make_batch(encoded: EncodedTable, store: ImageSource, rows: np.ndarray) -> Batch:
    """Collect the rows of a batch.

    Args:
        encoded: the table; its images have the indices of ``store``.
        store: the images.
        rows: row indices, shape ``(Q,)``.

    Raises:
        DataError: if an image cannot be decoded.
    """
    images, places = np.unique(encoded.table.image_index[rows], return_inverse=True)
    indices = rows.tolist()
    return Batch(
        images=store.get(images),
        image_index=torch.from_numpy(places.astype(np.int64)),
        question_tokens=_padded([encoded.question_ids(row) for row in indices]),
        answer_tokens=_padded([encoded.answer_ids(row) for row in indices]),
        rows=torch.from_numpy(np.asarray(rows, dtype=np.int64)),
    )


class BatchLoader:
    """Makes planned batches ahead of their use, in threads.

    Args:
        encoded: the table.
        store: its images.
        batches: row indices of each, as planned.
        workers: batches that are made at a time; 0 as 1.
        start: batch to begin at, for a resumed epoch.
    """

    def __init__(
        self,
        encoded: EncodedTable,
        store: ImageSource,
        batches: Sequence[np.ndarray],
        *,
        workers: int,
        start: int = 0,
    ):
        self.encoded, self.store, self.workers = encoded, store, max(1, workers)
        self.batches = list(batches[start:])

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        """The batches in their order.

        Raises:
            DataError: if an image cannot be decoded.
            LoaderError: if the processes that decode have ended.
            Interrupted: at a signal, also while a batch is waited for.
        """
        waiting: deque[Future[Batch]] = deque()
        pool = ThreadPoolExecutor(self.workers)
        try:
            for rows in self.batches:
                waiting.append(pool.submit(make_batch, self.encoded, self.store, rows))
                if len(waiting) > self.workers:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class _UniqueTexts:
    """Texts encoded once each, cut to a length."""

    def __init__(self, texts: Sequence[str], tokenizer: TextTokenizer, limit: int):
        place_of = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        encoded = tokenizer.encode(list(place_of))
        self._index = np.fromiter((place_of[text] for text in texts), np.int64, len(texts))
        lengths = np.array([len(ids) for ids in encoded], dtype=np.int64)
        self.is_cut: np.ndarray = (lengths > limit)[self._index]
        self._ids = [ids[:limit] for ids in encoded]
        unknown = np.array([UNK in (ids or [UNK]) for ids in self._ids], dtype=bool)
        self.has_unknown: np.ndarray = unknown[self._index]

    def ids(self, row: int) -> list[int]:
        return self._ids[self._index[row]]

    def distinct(self) -> list[list[int]]:
        return self._ids


def _padded(sequences: list[list[int]]) -> Tensor:
    width = max(map(len, sequences), default=0)
    tokens = np.full((len(sequences), width), PAD, dtype=np.int64)
    for place, ids in enumerate(sequences):
        tokens[place, : len(ids)] = ids
    return torch.from_numpy(tokens)


def _result(future: Future[Batch]) -> Batch:
    """What a future gives, heeding signals meanwhile."""
    while True:
        try:
            return future.result(_POLL_SECONDS)
        except LoaderError:
            _await_signal()
            raise
        except TimeoutError:
            if future.done():
                raise
            poll()


def _await_signal() -> None:
    """Give a signal that also ended a loader process the time to reach this one."""
    end = time.monotonic() + _SIGNAL_SECONDS
    while time.monotonic() < end:
        poll()
        time.sleep(_POLL_SECONDS)
