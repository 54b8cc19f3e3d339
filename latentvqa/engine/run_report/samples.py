"""Answered questions of a run, some of them with their pictures, for its page.

Read from what ``evaluate`` wrote. Nothing here loads a model.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TextIO

from latentvqa.config import Data
from latentvqa.data.decoding import decode_image
from latentvqa.data.folders.names import ImageFolder
from latentvqa.engine.runs.evaluations import ANEW, evaluation_folder, read_evaluation
from latentvqa.engine.runs.folder import PREDICTIONS_FILE
from latentvqa.errors import DataError
from latentvqa.report.diagnosis.page_samples import Sample
from latentvqa.sums import read_summed

THUMBNAIL_SIDE = 160  # pixels
THUMBNAIL_QUALITY = 80


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
    path = folder / PREDICTIONS_FILE
    if not path.exists():
        return None
    try:
        text = read_summed(path, ANEW).decode()
        rows = _rows(StringIO(text, newline=""))
        known = read_evaluation(folder)
        return Answers(rows, str(known["checkpoint"]), len(rows))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f"{folder}: cannot be used ({error}); write it anew with latentvqa evaluate {run}"
        ) from error


def choose_rows(is_correct: Sequence[bool], count: int) -> list[int]:
    """Rows to show: wrong ones first, half of each kind where there are enough.

    Each kind is taken evenly over the table, so that the choice is the same
    every time and flatters nobody.
    """
    wrong = [row for row, is_right in enumerate(is_correct) if not is_right]
    right = [row for row, is_right in enumerate(is_correct) if is_right]
    most_wrong = min(len(wrong), max(count - count // 2, count - len(right)))
    return [*_evenly(wrong, most_wrong), *_evenly(right, count - most_wrong)]


def samples_of(answers: Answers, count: int, data: Data) -> tuple[list[Sample], list[str]]:
    """Chosen answers with small pictures.

    Args:
        answers: all answers.
        count: samples wanted.
        data: says where the images are.

    Returns:
        The samples, and one reason for each picture that could not be had.
    """
    faults: list[str] = []
    samples = []
    folder = data.images if data.val is None else data.val_images or data.images
    for place in choose_rows([row.is_correct for row in answers.rows], count):
        row = answers.rows[place]
        picture: bytes | None = None
        try:
            picture = _thumbnail(row.image, folder, data)
        except (DataError, ValueError) as error:
            faults.append(str(error))
        samples.append(
            Sample(
                question=row.question,
                answer=row.answer,
                reference=row.reference,
                confidence=row.confidence,
                is_correct=row.is_correct,
                image=picture,
            )
        )
    return samples, faults


def samples_note(answers: Answers, samples: Sequence[Sample]) -> str:
    """Where samples come from, and that they are no fair share."""
    right = sum(row.is_correct for row in answers.rows)
    answered = len(answers.rows)
    shown = sum(bool(sample.is_correct) for sample in samples)
    is_part = answered < answers.questions
    part = f", taken evenly from {answers.questions:,}," if is_part else ""
    return (
        f"Checkpoint {answers.checkpoint} answers {right:,} of {answered:,} validation questions"
        f"{part} right. Shown are {len(samples) - shown} wrong and {shown} right "
        "answers, each kind taken evenly over the table: not a share to judge by."
    )


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


def _thumbnail(name: str, folder: Path | None, data: Data) -> bytes:
    if folder is None:
        raise DataError(f"{name}: the run's config names no images folder")
    images = ImageFolder(folder, allow_outside=data.allow_outside)
    image = decode_image(images.path(images.find(name)), max_pixels=data.max_pixels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    content = BytesIO()
    image.save(content, "JPEG", quality=THUMBNAIL_QUALITY)
    return content.getvalue()
