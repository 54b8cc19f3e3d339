"""CSV and TSV: a row that does not fit the header is a fault, never shifted or dropped."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latentvqa.core.figures import counted
from latentvqa.core.quoting import shortened
from latentvqa.data.faults import Faults
from latentvqa.data.table_formats.table_file import TableFile, clean_names, decoded
from latentvqa.errors import DataError

_LARGEST_CELL = 2**31 - 1
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def parse_csv(path: Path, data: bytes) -> TableFile:
    """Parse records whose cells are separated by commas; the header is row 1.

    Raises:
        DataError: naming row and column of what is torn.
    """
    return _parse_delimited(path, data, ",")


def parse_tsv(path: Path, data: bytes) -> TableFile:
    """Parse records whose cells are separated by tabs; the header is row 1.

    Raises:
        DataError: naming row and column of what is torn.
    """
    return _parse_delimited(path, data, "\t")


def _parse_delimited(path: Path, data: bytes, delimiter: str) -> TableFile:
    text = decoded(path, data)
    records = _records(path, text, delimiter)
    header = next(records, (1, []))[1]
    names = clean_names(path, header)
    _check_separator(path, names, delimiter)
    width = len(names)
    torn = Faults(
        path,
        f"rows that do not have {counted(width, 'cell')}, as the header",
        f"Put double quotes around a cell that holds {'a comma' if delimiter == ',' else 'a tab'}.",
    )
    rows: list[int] = []
    cells: list[list[str]] = []
    for row, record in records:
        if len(record) == width:
            rows.append(row)
            cells.append(record)
        elif len(record) > width:
            after, first = shortened(names[-1]), shortened(record[width])
            torn.add(row, f"after column {after}: {counted(len(record), 'cell')}, from {first}")
        else:
            name = shortened(names[len(record)])
            torn.add(row, f"column {name}: missing, {counted(len(record), 'cell')} in the row")
    torn.raise_if_any()
    return TableFile(
        names, np.array(rows, dtype=np.int64), lambda place: [record[place] for record in cells]
    )


def _check_separator(path: Path, names: list[str], delimiter: str) -> None:
    """Refuse a header whose cells are separated by another character than the file's."""
    found = [mark for mark in _SEPARATORS if mark in names[0]] if len(names) == 1 else []
    if not found:
        return
    mark = max(found, key=names[0].count)
    rename = " or give the file the suffix .tsv" if mark == "\t" else ""
    raise DataError(
        f"{path}: row 1: the cells are separated by {_SEPARATORS[mark]}, and those of a "
        f"{path.suffix.lower()} file by {_SEPARATORS[delimiter]}: save the table with these"
        f"{rename}. The header is {shortened(names[0], 100)}. This line writes such a table:\n"
        f"  {_rewriting_line(path, mark)}"
    )


def _rewriting_line(path: Path, mark: str) -> str:
    """A command that writes the table again as a CSV, beside the one that is there."""
    target = path.with_name(f"{path.stem}-commas.csv")
    code = (
        f"import pandas; pandas.read_csv({str(path)!r}, sep={mark!r}, dtype=str, "
        f"keep_default_na=False).to_csv({str(target)!r}, index=False)"
    )
    return f"python -c {shlex.quote(code)}"


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each record that is not an empty line."""
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row, lines_before = 0, 0
    try:
        for row, record in enumerate(reader, start=1):
            if record:
                yield row, record
            lines_before = reader.line_num
    except csv.Error as error:
        rest = "".join(list(io.StringIO(text, newline=""))[lines_before:])
        column = _torn_column(rest, delimiter)
        raise DataError(
            f"{path}: row {row + 1}, column {column + 1}: a double quote is not closed, or text "
            f'follows a closing one ({error}). Write a quote inside a cell twice ("") and '
            "put the cell in quotes."
        ) from error


def _torn_column(text: str, delimiter: str) -> int:
    """Return the index of the first cell whose quotes do not close properly."""
    column, place = 0, 0
    while place < len(text) and text[place] not in "\r\n":
        if text[place] == '"':
            end = text.find('"', place + 1)
            while end != -1 and text[end + 1 : end + 2] == '"':
                end = text.find('"', end + 2)
            place = end + 1
            if end == -1 or text[place : place + 1] not in (delimiter, "\r", "\n", ""):
                return column
        else:
            while text[place : place + 1] not in (delimiter, "\r", "\n", ""):
                place += 1
        if text[place : place + 1] == delimiter:
            column, place = column + 1, place + 1
    return column
