"""Which format a log has: by its name where that says it, else by its first lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from latentvqa.core.records import Stage
from latentvqa.errors import HistoryError
from latentvqa.history import LOG_NAME, log_path
from latentvqa.logs.columns.research_table import is_research_table
from latentvqa.logs.readers import (
    event_files,
    json_rows,
    printed_tables,
    tables,
    text_patterns,
    text_rows,
)
from latentvqa.logs.readers.source import encoding_of, failures_named, head_lines, head_of

Format = Literal[
    "own",
    "research table",
    "table",
    "printed table",
    "trainer state",
    "JSON lines",
    "JSON",
    "events",
    "boxes",
    "text",
]
# what a file that is no log begins with
_ARCHIVES = {
    b"\x1f\x8b": "compressed with gzip",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3\0": "a database",
    b"\x93NUMPY": "an array of NumPy",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF file",
}
STATE_NAME = "trainer_state.json"
TABLE_NAME = "metrics.csv"  # of Lightning's CSVLogger
LOOKED_FOR = f"{LOG_NAME}, {TABLE_NAME}, {STATE_NAME} or TensorBoard event files"


def locate(path: Path) -> tuple[Path, Format]:
    """The log that a path stands for, and its format.

    Args:
        path: a file, a run folder, or a folder that another tool logged to.

    Raises:
        HistoryError: if there is no log, or nothing in it is known.
    """
    with failures_named(path):
        is_folder, is_file = path.is_dir(), path.is_file()
    own = log_path(path)
    if is_folder and not own.exists():
        return _in_folder(path)
    if not is_folder and not is_file:
        return own, "own"  # its reader says what is missing
    return own, _format_of(own)


def _in_folder(folder: Path) -> tuple[Path, Format]:
    with failures_named(folder):
        for name in (TABLE_NAME, STATE_NAME):
            if (folder / name).is_file():
                return folder / name, _format_of(folder / name)
        states = [path for path in folder.glob(f"checkpoint-*/{STATE_NAME}") if path.is_file()]
    if states:
        newest = max(states, key=lambda path: (len(path.parent.name), path.parent.name))
        return newest, _format_of(newest)
    if event_files.event_files_in(folder):
        return folder, "events"
    raise HistoryError(f"there is no log in {folder}: looked for {LOOKED_FOR}")


def _format_of(path: Path) -> Format:
    head = head_of(path)
    if event_files.is_event_file(path, head):
        return "events"
    _refuse_archive(path, head)
    lines = head_lines(head)
    if _is_own(path, lines):
        return "own"
    known = _json_format(head, lines) or _table_format(path, lines)
    if known is None and path.name == LOG_NAME:
        return "own"  # its reader says that nothing in it is usable
    return known or _text_format(path, head, lines)


def _text_format(path: Path, head: bytes, lines: Sequence[str]) -> Format:
    """What holds most measures: a printed table, boxes or lines of text."""
    pattern, measures = text_patterns.pattern_for(lines)
    table = printed_tables.printed_table(lines)
    if table is not None and printed_tables.measures_in(table, lines) > measures:
        return "printed table"
    if text_rows.boxes_in(list(lines)) > measures:
        return "boxes"
    if not pattern:
        _refuse_binary(path, head)
    return "text"


def _json_format(head: bytes, lines: Sequence[str]) -> Format | None:
    start = head.decode(encoding_of(head), "replace")
    if json_rows.is_trainer_state(start):
        return "trainer state"
    if json_rows.is_lines(lines):
        return None if _are_beside(lines) else "JSON lines"
    return "JSON" if json_rows.is_document(start) else None


def _are_beside(lines: Sequence[str]) -> bool:
    """Whether the objects among these lines only stand beside what the log says."""
    measures, others = json_rows.beside_objects(lines)
    if not others:
        return False
    is_table = not measures and tables.is_table(others, "")
    return is_table or text_patterns.pattern_for(others)[1] > measures


def _table_format(path: Path, lines: Sequence[str]) -> Format | None:
    if not tables.is_table(lines, path.suffix):
        return None
    return "research table" if is_research_table(tables.column_names(lines[0])) else "table"


def _is_own(path: Path, lines: Sequence[str]) -> bool:
    """Whether one of the first lines is a header or an epoch as LatentVQA writes them."""
    for line in lines[:20]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        is_record = "epoch" in value and value.get("stage") in get_args(Stage)
        is_nested = isinstance(value.get("train"), dict) or isinstance(value.get("val"), dict)
        is_record = is_record and (is_nested or path.name == LOG_NAME)
        if value.get("kind", "epoch" if is_record else None) in ("header", "epoch"):
            return True
    # a run that was killed while it wrote its first line
    return path.name == LOG_NAME and bool(lines) and lines[0].startswith('{"kind":')


def _refuse_archive(path: Path, head: bytes) -> None:
    """Refuse what holds a log in another form: its bytes can look like a table."""
    kind = next((name for start, name in _ARCHIVES.items() if head.startswith(start)), None)
    if kind is not None:
        raise HistoryError(f"{path} is {kind}: unpack or export the log in it, and give that")


def _refuse_binary(path: Path, head: bytes) -> None:
    if b"\0" in head and encoding_of(head) == "utf-8":
        raise HistoryError(
            f"{path} is a binary file that is no TensorBoard event file: "
            f"give a log, a table or a folder with {LOOKED_FOR}"
        )
