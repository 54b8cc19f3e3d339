"""The rows that every converter gives, and how they become a table."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from latentvqa.core.figures import counted
from latentvqa.errors import ConfigError, DataError
from latentvqa.outputs import NamedOutput

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class ConvertedRow:
    """One question of a table.

    Attributes:
        image: path relative to the images folder.
        question: its text.
        answers: references; empty where the data set keeps them to itself.
        type: question type; empty where it has none.
        id: question id; empty where it has none.
    """

    image: str
    question: str
    answers: tuple[str, ...]
    type: str = ""
    id: str = ""


def require_table(output: NamedOutput, inputs: Iterable[Path]) -> None:
    """Refuse a table that must not be written, before minutes go into reading.

    Args:
        output: the table; folders above it are made.
        inputs: files and folders that it is made from.

    Raises:
        ConfigError: if its format is unknown.
        OutputError: if it is there and to be kept, an input, or cannot be written.
    """
    path = output.path
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{output.option} {path}: name a file with one of {', '.join(SUFFIXES)}")
    with suppress(OSError):  # it is told below that there is no such folder
        path.parent.mkdir(parents=True, exist_ok=True)
    output.require_writable(inputs)


def check_rows(source: Path, rows: Sequence[ConvertedRow]) -> None:
    """Refuse rows of which no table can be made.

    Args:
        source: where they come from, for the message.
        rows: in the order of the source.

    Raises:
        DataError: if there is none, or only some have answers.
    """
    if not rows:
        raise DataError(f"{source}: nothing to convert: there is no question in it")
    bare = [place for place, row in enumerate(rows) if not row.answers]
    if 0 < len(bare) < len(rows):
        row = rows[bare[0]]
        raise DataError(
            f"{source}: no answer to {len(bare):,} of {counted(len(rows), 'question')}, the first "
            f"is number {bare[0]} ({row.id or row.question[:40]}); fill or remove them"
        )


def write_rows(output: NamedOutput, rows: Sequence[ConvertedRow]) -> None:
    """Write the rows of :func:`check_rows` whole or not at all; the suffix names the format.

    Several references become the column ``answers``, single ones ``answer``;
    a column that no row fills is left out.

    Raises:
        OutputError: if the file cannot be written.
    """
    columns: dict[str, list[object]] = {
        "image": [row.image for row in rows],
        "question": [row.question for row in rows],
    }
    if any(row.answers for row in rows):
        # a text that opens like a list would be read as one
        are_lists = any(len(row.answers) != 1 or row.answers[0].startswith("[") for row in rows)
        if are_lists:
            columns["answers"] = [list(row.answers) for row in rows]
        else:
            columns["answer"] = [row.answers[0] for row in rows]
    for name in ("type", "id"):
        if any(values := [getattr(row, name) for row in rows]):
            columns[name] = values
    output.save(_encoded(columns, output.path.suffix.lower()))


def missing_images(rows: Sequence[ConvertedRow], folder: Path) -> list[str]:
    """Names of images that are not below a folder, each once.

    Raises:
        DataError: if there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"--images {folder}: no such folder")
    listed: dict[str, set[str]] = {}
    missing = []
    for name in dict.fromkeys(row.image for row in rows):
        parent, _, base = name.rpartition("/")
        if parent not in listed:
            inner = folder / parent
            listed[parent] = set(os.listdir(inner)) if inner.is_dir() else set()  # noqa: PTH208
        if base not in listed[parent]:
            missing.append(name)
    return missing


def _encoded(columns: dict[str, list[object]], suffix: str) -> bytes:
    if suffix == ".parquet":
        buffer = io.BytesIO()
        pd.DataFrame(columns).to_parquet(buffer, index=False)
        return buffer.getvalue()
    rows = zip(*columns.values(), strict=True)
    if suffix == ".jsonl":
        names = list(columns)
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows]
        return ("\n".join(lines) + "\n").encode()
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if suffix == ".tsv" else ",", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(_cell(value) for value in row)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
