"""The tables of a run, found again from its folder: validation rows, training answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from latentvqa.config import Data
from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.formats import newer_format
from latentvqa.data.split import read_split
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.engine.runs.folder import RunFolder, read_config
from latentvqa.errors import CheckpointError, HistoryError, LatentVQAError
from latentvqa.history import read_history
from latentvqa.sums import DamagedFileError, NewerFormatError, read_summed, replace_summed

ANSWERS_SCHEMA = 1  # before it there were the counts alone


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
        return read_split(run.split, _table(run, data, "train", data.images))[1]
    return _table(run, data, "val", data.val_images or data.images)


def training_table(path: Path) -> QuestionTable:
    """Read the training side of the run that a checkpoint belongs to.

    Raises:
        CheckpointError: if the run's data cannot be found any more.
    """
    run = RunFolder.holding(path)
    data = read_config(run.path).data
    table = _table(run, data, "train", data.images)
    return table if data.val is not None else read_split(run.split, table)[0]


def _table(
    run: RunFolder, data: Data, role: Literal["train", "val"], images: Path | None
) -> QuestionTable:
    source: Path | None = getattr(data, role)
    if source is None:
        raise CheckpointError(f"{run.path}: no table is named there; give --data and --images")
    if not source.exists():
        raise CheckpointError(
            f"{source}: the table of {run.path} is not there any more. Give its new place: "
            "evaluate with --data FILE --images DIR, train --resume with --set data.train=FILE "
            "(data.val) and --set data.images=DIR."
        )
    table = read_questions(
        source, columns=data.columns, images=images, allow_outside=data.allow_outside
    )
    if known_sum(run.path, role) not in (None, table.sha256):
        raise CheckpointError(
            f"{source}: has changed since {run.path} began (its SHA-256 differs). Restore it, or "
            "evaluate it as another table with --data FILE --images DIR."
        )
    return table


def known_sum(run: Path, role: str) -> str | None:
    """SHA-256 of a table when the run began; None where its log does not tell."""
    try:
        known = read_history(run).header.data.get(role, {}).get("sha256")
    except HistoryError:
        return None
    return None if known is None else str(known)


def column_names(path: Path) -> Mapping[str, str]:
    """How the tables of a run name their columns; empty where nothing tells it."""
    try:
        return read_config(RunFolder.holding(path).path).data.columns
    except LatentVQAError:  # a checkpoint answers without its configuration
        return {}


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
    held = {"schema": ANSWERS_SCHEMA, "answers": dict(counts.most_common())}
    text = json.dumps(held, ensure_ascii=False, indent=0)
    replace_summed({RunFolder(run).answers: text.encode()})


def read_training_answers(path: Path) -> Mapping[str, int] | None:
    """How often each normalised answer was trained on; None where that cannot be read.

    Args:
        path: run folder, or a checkpoint of it.

    Raises:
        NewerFormatError: if a newer version wrote it.
    """
    file = RunFolder.holding(path).answers
    try:
        counts = json.loads(read_summed(file, ""))
    except (OSError, ValueError, DamagedFileError):
        return None
    if isinstance(counts, dict) and isinstance(counts.get("answers"), dict):
        if sentence := newer_format(file, counts.get("schema"), ANSWERS_SCHEMA):
            raise NewerFormatError(sentence)
        counts = counts["answers"]
    is_sound = isinstance(counts, dict) and all(isinstance(n, int) for n in counts.values())
    return counts if is_sound else None
