"""A softmax over the training answers that reads the words of the question.

Embeddings of words and word pairs are added up (as in fastText, Joulin et al.
2017), which takes seconds to fit and finds what frequent words give away. The
same rows and seed give the same weights on the same machine.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding_bag

from latentvqa.data.blind.rows import AnswerKey

MOST_ROWS = 200_000
MOST_FEATURES = 20_000
MOST_CLASSES = 1_000
WIDTH = 64
MOST_STEPS = 1_500
_LEAST_STEPS, _PASSES = 50, 40  # for tables that need fewer
_BATCH = 512
_RATE = 0.01
_DECAY = 1e-4
_CHECKS = 20  # looks at the held-out rows
_HELD_OUT = 0.1
_LEAST_ROWS = 50
_WORD = re.compile(r"\w+|[^\w\s]")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WordModel:
    """Answer logits from the words of a question.

    Attributes:
        features: place of each word and word pair; place 0 stands for the rest.
        classes: the answers, most frequent first.
        embeddings: of the features, shape ``(features + 1, width)``.
        weights: to the answers, shape ``(width, classes)``.
        bias: of the answers, shape ``(classes,)``.
    """

    features: Mapping[str, int]
    classes: list[AnswerKey]
    embeddings: Tensor
    weights: Tensor
    bias: Tensor

    def log_probabilities(self, texts: Sequence[str]) -> Tensor:
        """Log probability of every class, shape ``(texts, classes)``."""
        bags = _bags([_places(text, self.features) for text in texts])
        return _logits(bags, self.embeddings, self.weights, self.bias).log_softmax(-1)


def fit_words(
    texts: Sequence[str],
    keys: Sequence[AnswerKey],
    images: NDArray[np.int64],
    seed: int,
    most_rows: int = MOST_ROWS,
) -> tuple[WordModel, NDArray[np.int64], WordModel] | None:
    """Fit on all rows for as many steps as served rows of held-out images best.

    Args:
        texts: question of each training row.
        keys: its answer.
        images: its image.
        seed: of the held-out images, the order of rows and the first weights.
        most_rows: more are sub-sampled.

    Returns:
        The model of all rows, the rows that were held out of another one, and
        that other model; None where there are too few rows or images to fit.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(len(texts))
    if len(rows) > most_rows:
        rows = np.sort(rng.choice(rows, most_rows, replace=False))
    names = np.unique(images[rows])
    if len(rows) < _LEAST_ROWS or len(names) < 2:
        return None
    chosen = rng.permutation(names)[: max(1, round(_HELD_OUT * len(names)))]
    is_held = np.isin(images[rows], chosen)
    fitted, held = rows[~is_held], rows[is_held]

    def part_of(chosen: NDArray[np.int64]) -> tuple[list[str], list[AnswerKey]]:
        places = chosen.tolist()
        return [texts[i] for i in places], [keys[i] for i in places]

    part = _Fit(*part_of(fitted), seed)
    most_steps = min(MOST_STEPS, _LEAST_STEPS + _PASSES * len(rows) // _BATCH)
    steps = part.run(most_steps, part.known(*part_of(held)))
    whole = _Fit(*part_of(rows), seed)
    whole.run(max(1, round(steps * len(rows) / len(fitted))))
    return whole.model(), held, part.model()


@dataclass(frozen=True, eq=False)
class _Bags:
    """Features of some questions, by their places, one question after the other.

    Attributes:
        ids: places of the features, shape ``(features in all,)``.
        lengths: features of each question, ``(questions,)``.
    """

    ids: Tensor
    lengths: Tensor

    @cached_property
    def starts(self) -> Tensor:
        """Where each question begins, ``(questions,)``."""
        return self.lengths.cumsum(0) - self.lengths

    def select(self, rows: Tensor) -> _Bags:
        """The features of these questions, in this order."""
        lengths = self.lengths[rows]
        shift = self.starts[rows] - (lengths.cumsum(0) - lengths)
        places = torch.arange(int(lengths.sum())) + shift.repeat_interleave(lengths)
        return _Bags(self.ids[places], lengths)


@dataclass(frozen=True, eq=False)
class _Targets:
    """Questions with the class of their answer, ``(questions,)``."""

    bags: _Bags
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    def select(self, rows: Tensor) -> _Targets:
        return _Targets(self.bags.select(rows), self.classes[rows])


class _Fit:
    """One fit, step by step."""

    def __init__(self, texts: Sequence[str], keys: Sequence[AnswerKey], seed: int) -> None:
        words = Counter(feature for text in texts for feature in _features(text))
        kept = [name for name, count in words.most_common(MOST_FEATURES) if count > 1]
        self.features = {name: place for place, name in enumerate(kept, start=1)}
        answers = Counter(keys).most_common(MOST_CLASSES)
        self.classes = [key for key, _ in answers]
        self.place = {key: i for i, key in enumerate(self.classes)}
        self.rows = self.known(texts, keys)
        self.generator = torch.Generator().manual_seed(seed)
        counts = torch.tensor([count for _, count in answers], dtype=torch.float32)
        self.embeddings = self._normal(len(self.features) + 1, WIDTH) / math.sqrt(WIDTH)
        self.weights = torch.zeros(WIDTH, len(self.classes))
        self.bias = (counts / counts.sum()).log()
        self.parameters = [self.embeddings, self.weights, self.bias]
        for parameter in self.parameters:
            parameter.requires_grad_()

    def known(self, texts: Sequence[str], keys: Sequence[AnswerKey]) -> _Targets:
        """The questions whose answer is a class, and that class."""
        kept = [
            (text, self.place[key])
            for text, key in zip(texts, keys, strict=True)
            if key in self.place
        ]
        bags = _bags([_places(text, self.features) for text, _ in kept])
        return _Targets(bags, torch.tensor([target for _, target in kept], dtype=torch.int64))

    def run(self, most: int, held: _Targets | None = None) -> int:
        """Take steps; with held-out rows stop at, and return, the best number of them."""
        optimizer = torch.optim.AdamW(self.parameters, lr=_RATE, weight_decay=_DECAY, fused=True)
        best, best_steps, kept = math.inf, most, [p.detach().clone() for p in self.parameters]
        every = max(1, most // _CHECKS)
        done, waited = 0, 0
        while done < most:
            order = torch.randperm(len(self.rows), generator=self.generator)
            for chosen in torch.split(order, _BATCH):
                optimizer.zero_grad()
                torch.autograd.backward(self._loss(self.rows.select(chosen)))
                optimizer.step()
                done += 1
                if held is not None and done % every == 0:
                    loss = self._held_out_loss(held)
                    waited = 0 if loss < best else waited + 1
                    if loss < best:
                        best, best_steps = loss, done
                        kept = [p.detach().clone() for p in self.parameters]
                if done >= most or waited > _CHECKS // 4:
                    break
            if waited > _CHECKS // 4:
                break
        if held is not None:
            for parameter, value in zip(self.parameters, kept, strict=True):
                parameter.data.copy_(value)
        return best_steps

    def model(self) -> WordModel:
        """What was fitted."""
        return WordModel(
            self.features, self.classes, *(parameter.detach() for parameter in self.parameters)
        )

    def _loss(self, rows: _Targets) -> Tensor:
        logits = _logits(rows.bags, self.embeddings, self.weights, self.bias)
        return cross_entropy(logits, rows.classes)

    @torch.no_grad()
    def _held_out_loss(self, rows: _Targets) -> float:
        return float(self._loss(rows)) if len(rows) else math.inf

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)


def _features(text: str) -> list[str]:
    """Words and neighbouring pairs; the first pair holds the start of the question."""
    words = _WORD.findall(text)
    return [*words, *(f"{left} {right}" for left, right in zip(["", *words], words, strict=False))]


def _places(text: str, features: Mapping[str, int]) -> list[int]:
    return [features[name] for name in _features(text) if name in features] or [0]


def _bags(places: Sequence[list[int]]) -> _Bags:
    ids = torch.tensor([place for bag in places for place in bag], dtype=torch.int64)
    return _Bags(ids, torch.tensor([len(bag) for bag in places], dtype=torch.int64))


def _logits(bags: _Bags, embeddings: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    summed = embedding_bag(bags.ids, embeddings, bags.starts, mode="mean")
    return summed @ weights + bias
