"""Rows of a table as a blind model sees them: question, type and answers, no pixels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentvqa.core.answers.matching import normalised_references
from latentvqa.core.languages.spelling import spelt
from latentvqa.data.batches import EncodedTable

AnswerKey = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class BlindRows:
    """Questions and answers of a table.

    Attributes:
        texts: questions in the form in which two of them are the same.
        types: question types; None where the table has none.
        keys: token ids of each row's target, end token included.
        references: normalised references of each row, each once.
        images: image of each row, shape ``(rows,)``.
    """

    texts: list[str]
    types: list[str] | None
    keys: list[AnswerKey]
    references: list[tuple[str, ...]]
    images: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)

    def select(self, rows: NDArray[np.int64]) -> BlindRows:
        """These rows, in this order."""
        places = rows.tolist()
        return replace(
            self,
            texts=[self.texts[i] for i in places],
            types=None if self.types is None else [self.types[i] for i in places],
            keys=[self.keys[i] for i in places],
            references=[self.references[i] for i in places],
            images=self.images[rows],
        )


def blind_rows(encoded: EncodedTable, language: str = "") -> BlindRows:
    """The rows of an encoded table.

    Args:
        encoded: the table; its targets are what the nats are reckoned of.
        language: whose rules texts are compared by; empty for none.
    """
    table = encoded.table
    return BlindRows(
        texts=[question_key(text, language) for text in table.questions],
        types=table.types,
        keys=[encoded.target_key(row) for row in range(len(table))],
        references=normalised_references(table.answers, language),
        images=table.image_index,
    )


def question_key(text: str, language: str = "") -> str:
    """A question in the form in which two are the same: caseless, white space collapsed.

    Args:
        text: the question.
        language: whose spelling it is brought to; empty for none.
    """
    return " ".join(spelt(text.casefold(), language).split())


def most_frequent(
    rows: Iterable[tuple[Hashable, Sequence[str]]],
) -> dict[Hashable, str]:
    """The answer that stands in most rows of each group, the first seen in a tie."""
    counts: dict[Hashable, dict[str, int]] = {}
    for group, references in rows:
        held = counts.setdefault(group, {})
        for text in references:
            held[text] = held.get(text, 0) + 1
    return {group: max(held, key=held.__getitem__) for group, held in counts.items() if held}
