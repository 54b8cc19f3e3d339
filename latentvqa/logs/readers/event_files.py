"""Rows of TensorBoard event files, through the optional ``tensorboard`` package.

Reads scalars only. A file that is cut or damaged is read up to the fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latentvqa.errors import HistoryError
from latentvqa.logs.columns.names import is_split_name
from latentvqa.logs.notes import Notes, listed
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import failures_named

NAME_PART = "tfevents"
FIRST_RECORD = b"brain.Event:"  # the version, in the first record of every event file


def is_event_file(path: Path, head: bytes) -> bool:
    """Whether a file is an event file, by its name or its first record."""
    return NAME_PART in path.name or FIRST_RECORD in head[:64]


def event_files_in(folder: Path) -> list[Path]:
    """Event files of one run: of the folder, and of subfolders named after splits.

    Raises:
        HistoryError: if the folder holds several runs.
    """
    with failures_named(folder):
        direct = _events_of(folder)
        below = {path: _events_of(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    below = {path: files for path, files in below.items() if files}
    splits = {path: files for path, files in below.items() if is_split_name(path.name)}
    if not direct and not splits and len(below) == 1:
        splits = below
    if not direct and not splits and below:
        runs = listed([path.name for path in below])
        raise HistoryError(f"{folder} holds the event files of several runs ({runs}): give one")
    return [*direct, *(file for files in splits.values() for file in files)]


def _events_of(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(f"*{NAME_PART}*") if path.is_file())
    except OSError:  # a subfolder of somebody else
        return []


def event_rows(path: Path, notes: Notes) -> Iterator[Row]:
    """One row per step of each file.

    Tags are column names; a subfolder such as ``train`` or ``validation``, which
    writers of several splits make, goes before them.

    Raises:
        HistoryError: if the package is missing.
    """
    files = [path] if path.is_file() else event_files_in(path)
    for file in files:
        is_split = path not in (file, file.parent) and is_split_name(file.parent.name)
        prefix = f"{file.parent.name}/" if is_split else ""
        yield from _rows_of(file, prefix, notes)


def _rows_of(file: Path, prefix: str, notes: Notes) -> Iterator[Row]:
    row: dict[str, Any] = {}
    try:
        for event in _loader(file).Load():
            scalars = {prefix + value.tag: _scalar(value) for value in event.summary.value}
            held = {tag: scalar for tag, scalar in scalars.items() if scalar is not None}
            if not held:
                continue
            if row and row["step"] != event.step:
                yield row
                row = {}
            row = {**row, "step": float(event.step), **held}
    except HistoryError:
        raise
    except Exception as error:  # the package's own parsers name no common error
        notes.fault(f"{file.name} is damaged and was read up to there: {type(error).__name__}.")
    if row:
        yield row


def _loader(file: Path) -> Any:
    try:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    except ImportError as error:
        raise HistoryError(
            f"{file} is a TensorBoard event file, and the tensorboard package is not installed: "
            'pip install "latentvqa[tensorboard]"'
        ) from error
    return LegacyEventFileLoader(str(file))


def _scalar(value: Any) -> float | None:
    """The number of a summary value: as PyTorch writes it, or as TensorFlow 2 does."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor"):
        return None
    if value.metadata.plugin_data.plugin_name not in ("scalars", ""):
        return None
    from tensorboard.util.tensor_util import make_ndarray

    try:
        array = make_ndarray(value.tensor)
        return float(array.item()) if array.size == 1 else None
    except (TypeError, ValueError):
        return None
