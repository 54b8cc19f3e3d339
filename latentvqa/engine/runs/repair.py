"""Damaged files of a run that is resumed, made anew where their content is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentvqa.data.tables import QuestionTable
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.saved_checkpoints import restore_pointers, restore_saved
from latentvqa.engine.runs.tables import write_training_answers


def repair(run: Path, damaged: Sequence[Path], training: QuestionTable, language: str) -> list[str]:
    """Make damaged files anew; what holds more than a run knows is left to who reads it.

    Args:
        run: the run folder, held.
        damaged: files that were found not to be what was written.
        training: the training rows.
        language: whose rules answers are normalised by.

    Returns:
        A sentence for each.
    """
    places = RunFolder(run)
    told = restore_pointers(run)
    if places.saved in damaged:
        restore_saved(run)
        told.append(
            f"{places.saved} was damaged; it is made anew from {places.best.name} and "
            f"{places.last.name}, so that an older checkpoint may stay"
        )
    if places.answers in damaged:
        write_training_answers(run, training, language)
        told.append(f"{places.answers} was damaged; it is made anew from the training rows")
    if places.image_sums in damaged:
        told.append(
            f"{places.image_sums} is damaged: images at a new place cannot be compared with it. "
            "Put back a copy of it, or remove it"
        )
    return told
