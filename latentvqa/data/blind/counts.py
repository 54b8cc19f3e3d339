"""Smoothed counts of answers: overall, and in groups of rows that back off to them.

Each level is a Dirichlet posterior whose mean is the level above (MacKay and
Peto 1995, Natural Language Engineering 1): what a group has not seen gets the
probability of its parent, in the end that of its tokens. So every answer that
the tokenizer can write has a probability, and they sum to at most one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.blind.rows import AnswerKey

Floats = NDArray[np.float64]

# strengths that are tried, in rows that the parent is worth
_STRENGTHS = 2.0 ** np.arange(-6.0, 15.0)


@dataclass(frozen=True)
class TokenCounts:
    """How often each token was a target: the last resort of every probability.

    Attributes:
        counts: by token id, the end token included.
        vocabulary: ids that the tokenizer can write.
    """

    counts: dict[int, int]
    vocabulary: int

    def nats(self, keys: Sequence[AnswerKey]) -> Floats:
        """Nats of whole answers under independent tokens, shape ``(rows,)``."""
        total = log(sum(self.counts.values()) + self.vocabulary)
        known: dict[AnswerKey, float] = {}
        for key in keys:
            if key not in known:
                known[key] = sum(total - log(self.counts.get(token, 0) + 1) for token in key)
        return np.array([known[key] for key in keys])


@dataclass(frozen=True)
class GroupCounts:
    """How often each answer was given in each group, over a parent distribution.

    Attributes:
        counts: by group and answer.
        totals: rows by group.
        strength: rows that the parent is worth.
    """

    counts: dict[tuple[Hashable, AnswerKey], int]
    totals: dict[Hashable, int]
    strength: float

    def probabilities(
        self, groups: Sequence[Hashable], keys: Sequence[AnswerKey], parent: Floats
    ) -> Floats:
        """Probability of each row's answer, shape ``(rows,)``.

        Args:
            groups: group of each row; an unknown one has its parent's probability.
            keys: answer of each row.
            parent: its probability one level above, ``(rows,)``.
        """
        pairs = zip(groups, keys, strict=True)
        given = np.array([self.counts.get(pair, 0) for pair in pairs], dtype=np.float64)
        totals = np.array([self.totals.get(group, 0) for group in groups], dtype=np.float64)
        return (given + self.strength * parent) / (totals + self.strength)


def count_tokens(keys: Sequence[AnswerKey], vocabulary: int) -> TokenCounts:
    """Count the target tokens of training rows."""
    return TokenCounts(dict(Counter(token for key in keys for token in key)), vocabulary)


def fit_groups(
    groups: Sequence[Hashable],
    keys: Sequence[AnswerKey],
    images: NDArray[np.int64],
    parent: Floats,
) -> tuple[GroupCounts, Floats]:
    """Count the answers of groups, with the strength that predicts left-out images best.

    Args:
        groups: group of each training row.
        keys: its answer.
        images: its image; all rows of an image are left out together.
        parent: probability of its answer one level above, its image left out,
            shape ``(rows,)``.

    Returns:
        The counts, and each row's probability with its image left out.
    """
    group_codes = _codes(groups)
    pair_codes = _codes(list(zip(groups, keys, strict=True)))
    given = _others(pair_codes, images)
    totals = _others(group_codes, images)
    # (strengths, rows) would be large: one strength at a time
    scores = [float(np.log((given + s * parent) / (totals + s)).sum()) for s in _STRENGTHS]
    strength = float(_STRENGTHS[int(np.argmax(scores))])
    counts = GroupCounts(
        dict(Counter(zip(groups, keys, strict=True))), dict(Counter(groups)), strength
    )
    return counts, (given + strength * parent) / (totals + strength)


def _codes(values: Sequence[Hashable]) -> NDArray[np.int64]:
    place: dict[Hashable, int] = {}
    return np.array([place.setdefault(value, len(place)) for value in values], dtype=np.int64)


def _others(codes: NDArray[np.int64], images: NDArray[np.int64]) -> Floats:
    """Rows of the same code about other images, for every row."""
    everything = np.bincount(codes)[codes]
    _, own, counts = np.unique(
        codes * (int(images.max()) + 1) + images, return_inverse=True, return_counts=True
    )
    others: NDArray[np.int64] = everything - counts[own]
    return others.astype(np.float64)
