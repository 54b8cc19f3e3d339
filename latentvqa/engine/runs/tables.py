"""The tables of a run, found again from its folder: validation rows, training answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from latentvqa.config import Data
from latentvqa.core.answers.matching import normalise_answer
from latentvqa.data.split import read_split
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.durable import replace_file
from latentvqa.engine.runs.folder import RunFolder, read_config
from latentvqa.errors import CheckpointError, LatentVQAError
from latentvqa.regular_files import read_regular_text


def validation_table(path: Path, data: Data | None = None) -> QuestionTable:
    """Read the validation side of the run that a checkpoint belongs to.

    Args:
        path: the run, or a checkpoint of it.
        data: the run's data where they are at a new place; by default as recorded.

    Raises:
        CheckpointError: if the run's data cannot be found any more.
    """
    run = RunFolder.holding(path)
    data = data or read_config(run.path).data
    if data.val is None:
        return read_split(run.split, _table(run, data, data.train, data.images))[1]
    return _table(run, data, data.val, data.val_images or data.images)


def training_table(path: Path) -> QuestionTable:
    """Read the training side of the run that a checkpoint belongs to.

    Raises:
        CheckpointError: if the run's data cannot be found any more.
    """
    run = RunFolder.holding(path)
    data = read_config(run.path).data
    table = _table(run, data, data.train, data.images)
    return table if data.val is not None else read_split(run.split, table)[0]


def _table(run: RunFolder, data: Data, source: Path | None, images: Path | None) -> QuestionTable:
    if source is None:
        raise CheckpointError(f"{run.path}: no table is named there; give --data and --images")
    if not source.exists():
        raise CheckpointError(
            f"{source}: the table of {run.path} is not there any more. Give its new place: "
            "evaluate with --data FILE --images DIR, train --resume with --set data.train=FILE "
            "(data.val) and --set data.images=DIR."
        )
    return read_questions(
        source, columns=data.columns, images=images, allow_outside=data.allow_outside
    )


def files_of(path: Path) -> list[Path]:
    """What a run is made of, and the tables and images that it names."""
    run = RunFolder.holding(path)
    try:
        data = read_config(run.path).data
    except LatentVQAError:  # it names none
        data = Data()
    named = (data.train, data.val, data.images, data.val_images)
    return [*run.own_files(), *(one for one in named if one is not None)]


def write_training_answers(run: Path, table: QuestionTable, language: str) -> None:
    """Write how often each answer is trained on, the most frequent first."""
    counts = Counter(normalise_answer(target, language) for target in table.targets)
    text = json.dumps(dict(counts.most_common()), ensure_ascii=False, indent=0)
    replace_file(RunFolder(run).answers, text.encode())


def read_training_answers(path: Path) -> Mapping[str, int] | None:
    """How often each normalised answer was trained on; None where that cannot be read.

    Args:
        path: run folder, or a checkpoint of it.
    """
    try:
        counts = json.loads(read_regular_text(RunFolder.holding(path).answers))
    except (OSError, ValueError):
        return None
    is_sound = isinstance(counts, dict) and all(isinstance(n, int) for n in counts.values())
    return counts if is_sound else None
