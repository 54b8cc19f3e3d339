"""Exact match of every row of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentvqa.core.answers.matching import exact_match


def exact_matches(
    answers: Sequence[str], references: Sequence[tuple[str, ...]], language: str
) -> np.ndarray:
    """1 where an answer equals one of its references, else 0; shape ``(rows,)``.

    Args:
        answers: answer of each row.
        references: references of each row.
        language: whose rules normalisation may use; empty for none.
    """
    pairs = zip(answers, references, strict=True)
    return np.array([exact_match(text, wanted, language) for text, wanted in pairs], dtype=float)
