"""Answered questions of a run, some of them with their images, for its page.

Read from what ``evaluate`` wrote. Nothing here loads a model.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TextIO

from latentvqa.config import Data
from latentvqa.core.figures import counted
from latentvqa.engine.run_report.pictures import NO_PICTURE, picture_of
from latentvqa.engine.runs.evaluations import ANEW, evaluation_folder, read_evaluation
from latentvqa.engine.runs.folder import PREDICTIONS_FILE
from latentvqa.errors import DataError
from latentvqa.report.page.samples import Sample
from latentvqa.sums import read_summed

LARGEST_SIDE = 640  # pixels of an image that opens large
RIGHT, WRONG, SUREST_WRONG, LEAST_SURE = "right", "wrong", "surest wrong", "least sure"


@dataclass(frozen=True)
class AnsweredRow:
    """One validation question and what a checkpoint said."""

    image: str
    question: str
    answer: str
    reference: str
    is_correct: bool
    confidence: float


@dataclass(frozen=True)
class Answers:
    """Answers of one checkpoint to validation questions.

    Attributes:
        rows: in the order of the table.
        checkpoint: name of the checkpoint.
        questions: rows of the validation split, of which these may be a part.
    """

    rows: Sequence[AnsweredRow]
    checkpoint: str
    questions: int


def written_answers(run: Path) -> Answers | None:
    """What ``evaluate`` wrote about the validation split; None where it wrote nothing.

    Raises:
        DamagedFileError: if a file is not what was written.
        NewerFormatError: if a newer version wrote it.
        DataError: if the files are there but cannot be used.
    """
    folder = evaluation_folder(run)
    if not (folder / PREDICTIONS_FILE).exists():
        return None
    rows = read_answers(folder)
    try:
        return Answers(rows, str(read_evaluation(folder)["checkpoint"]), len(rows))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(folder, error) from error


def read_answers(folder: Path) -> list[AnsweredRow]:
    """The answers that ``evaluate`` wrote into a folder of results.

    Raises:
        DamagedFileError: if the file is not what was written.
        DataError: if it cannot be used.
    """
    try:
        text = read_summed(folder / PREDICTIONS_FILE, ANEW).decode()
        return _rows(StringIO(text, newline=""))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise _unusable(folder, error) from error


def choose_rows(rows: Sequence[AnsweredRow], count: int) -> list[tuple[int, str]]:
    """Rows to show, each with its kind: right, wrong, surest wrong, least sure.

    A quarter of each kind where there are enough; right and wrong ones are taken
    evenly over the table, so that the choice is the same every time and flatters
    nobody. No row is shown twice.
    """
    places = range(len(rows))
    by_confidence = sorted(places, key=lambda place: rows[place].confidence)
    wrong = [place for place in reversed(by_confidence) if not rows[place].is_correct]
    surest = wrong[: count // 4]
    unsure = [place for place in by_confidence if place not in set(surest)][: count // 4]
    taken = {*surest, *unsure}
    left = count - len(taken)
    wrong = [place for place in places if not rows[place].is_correct and place not in taken]
    right = [place for place in places if rows[place].is_correct and place not in taken]
    shown_wrong = min(len(wrong), max(left // 2, left - len(right)))
    return [
        *((place, RIGHT) for place in _evenly(right, left - shown_wrong)),
        *((place, WRONG) for place in _evenly(wrong, shown_wrong)),
        *((place, SUREST_WRONG) for place in surest),
        *((place, LEAST_SURE) for place in unsure),
    ]


def samples_of(answers: Answers, count: int, data: Data) -> tuple[list[Sample], list[str]]:
    """Chosen answers with their images.

    Args:
        answers: all answers.
        count: samples wanted.
        data: says where the images are.

    Returns:
        The samples, and one reason for each image that could not be had.
    """
    faults: list[str] = []
    samples = []
    for place, kind in choose_rows(answers.rows, count):
        row = answers.rows[place]
        shown = NO_PICTURE
        try:
            shown = picture_of(row.image, data, LARGEST_SIDE)
        except (DataError, ValueError) as error:
            faults.append(str(error))
        samples.append(
            Sample(
                question=row.question,
                answer=row.answer,
                reference=row.reference,
                confidence=row.confidence,
                is_correct=row.is_correct,
                image=shown.content,
                image_type=shown.media_type,
                size=shown.size,
                image_name=row.image,
                kind=kind,
            )
        )
    return samples, faults


def samples_note(answers: Answers, samples: Sequence[Sample]) -> str:
    """Where samples come from, and that they are no fair share."""
    right = sum(row.is_correct for row in answers.rows)
    answered = len(answers.rows)
    is_part = answered < answers.questions
    part = f", taken evenly from {answers.questions:,}," if is_part else ""
    kinds = Counter(sample.kind for sample in samples)
    shown = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    return (
        f"Checkpoint {answers.checkpoint} answers {right:,} of "
        f"{counted(answered, 'validation question')}{part} right. Shown: {shown}. "
        "Chosen to look at, not a share to judge by."
    )


def _unusable(folder: Path, error: Exception) -> DataError:
    advice = f"write it anew with latentvqa evaluate {folder.parent.parent}"
    return DataError(f"{folder}: cannot be used ({error}); {advice}")


def _rows(file: TextIO) -> list[AnsweredRow]:
    rows = [_row(cells) for cells in csv.DictReader(file, strict=True)]
    if not rows:
        raise ValueError("it holds no answer")
    return rows


def _row(cells: dict[str, str]) -> AnsweredRow:
    return AnsweredRow(
        image=cells["image"],
        question=cells["question"],
        answer=cells["answer"],
        reference=cells["reference"],
        is_correct=cells["correct"] == "1",
        confidence=float(cells["confidence"]),
    )


def _evenly(rows: Sequence[int], count: int) -> list[int]:
    count = min(count, len(rows))
    return [rows[step * len(rows) // count] for step in range(count)]
