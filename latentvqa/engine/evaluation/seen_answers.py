"""Scores by what training had seen of the answers."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np

from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.results.evaluation import SeenAnswers
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.runs.tables import read_training_answers

# answers trained on this often begin a band of their own
FREQUENCY_BANDS = (1, 10, 100, 1000)


def seen_answers(
    table: QuestionTable, is_right: np.ndarray, run: Path, language: str
) -> SeenAnswers | None:
    """Set the scores against what was trained on; None where nobody wrote that down.

    Args:
        table: the rows.
        is_right: 1 where the answer is right, else 0, shape ``(rows,)``.
        run: run folder, or a checkpoint of it.
        language: whose rules answers are normalised by.
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
    return SeenAnswers(float((times > 0).mean()), bands)
