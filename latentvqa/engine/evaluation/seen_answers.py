"""Scores by what training had seen of the answers."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.results.evaluation import SeenAnswers
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import TextTokenizer
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.runs.tables import read_training_answers

# answers trained on this often begin a band of their own
FREQUENCY_BANDS = (1, 10, 100, 1000)


def seen_answers(
    table: QuestionTable,
    is_right: np.ndarray,
    run: Path,
    language: str,
    tokenizer: TextTokenizer,
    max_answer_tokens: int,
) -> SeenAnswers | None:
    """Set the scores against what was trained on; None where nobody wrote that down.

    Args:
        table: the rows.
        is_right: 1 where the answer is right, else 0, shape ``(rows,)``.
        run: run folder, or a checkpoint of it.
        language: whose rules answers are normalised by.
        tokenizer: of the answers.
        max_answer_tokens: longer answers are cut.
    """
    counts = read_training_answers(run)
    if counts is None:
        return None
    times = np.array(
        [
            max(counts.get(normalise_answer(reference, language), 0) for reference in references)
            for references in table.answers
        ]
    )
    bands = {}
    for low, high in itertools.pairwise((0, *FREQUENCY_BANDS, sys.maxsize)):
        chosen = (times >= low) & (times < high)
        if chosen.any():
            name = f"{low}" if high == low + 1 else f"{low}-{high - 1}"
            name = f"{low}+" if high == sys.maxsize else name
            bands[name] = mean_with_interval(is_right[chosen], table.image_index[chosen])
    sayable = sayable_rows(table.answers, tokenizer, max_answer_tokens, language)
    return SeenAnswers(float(sayable.mean()), bands)


def sayable_rows(
    references: Sequence[tuple[str, ...]],
    tokenizer: TextTokenizer,
    max_answer_tokens: int,
    language: str,
) -> np.ndarray:
    """1 where a reference is still one after encoding and decoding, else 0, ``(rows,)``.

    Args:
        references: references of each row.
        tokenizer: of the answers.
        max_answer_tokens: longer answers are cut.
        language: whose rules answers are normalised by.
    """

    @cache
    def is_sayable(wanted: tuple[str, ...]) -> float:
        said = [tokenizer.decode(ids[:max_answer_tokens]) for ids in tokenizer.encode(list(wanted))]
        return float(exact_matches(said, [wanted] * len(said), language).max())

    return np.array([is_sayable(wanted) for wanted in references])
