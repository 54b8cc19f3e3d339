"""Fresh answers to some validation questions, for a run that has none written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.run_report.samples import AnsweredRow, Answers
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer

MOST_QUESTIONS = 500


def predicted_answers(run: Path, observer: Observer, *, device: str = "auto") -> Answers:
    """Answer validation questions with the best checkpoint of a run.

    Args:
        run: the run folder.
        observer: receives progress and notices.
        device: where to compute.

    Returns:
        Answers to all questions, or to ``MOST_QUESTIONS`` taken evenly.

    Raises:
        LatentVQAError: if checkpoint, table or images cannot be read.
    """
    loaded = load_model(run, device)
    for note in loaded.notes:
        observer.notice(f"warning: {note}")
    whole = validation_table(run)
    count = min(len(whole), MOST_QUESTIONS)
    table = whole.select(np.arange(count) * len(whole) // count)
    found = evaluate(loaded, table, observer, run=run, skip_bad_images=True)
    table = found.table
    rows = [
        AnsweredRow(
            image=table.image_names[table.image_index[row]],
            question=table.questions[row],
            answer=answer,
            reference=table.reference(row),
            is_correct=bool(found.is_right[row]),
            confidence=float(found.confidences[row]),
        )
        for row, answer in enumerate(found.answers)
    ]
    return Answers(rows, loaded.folder.name, len(whole))
