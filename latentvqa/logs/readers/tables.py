"""Rows of a CSV or TSV table, line by line.

A torn quote or a line with too few or too many cells costs that line alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from latentvqa.core.figures import counted
from latentvqa.logs.notes import Notes, listed
from latentvqa.logs.readers.commas import DECIMAL_NOTE
from latentvqa.logs.readers.rows import HEADING, Row
from latentvqa.logs.readers.source import head_lines, head_of, lines_of

DELIMITERS = ("\t", ",", ";")
TABLE_SUFFIXES = (".csv", ".tsv")
MOST_CELLS = 10_000

_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?%?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_PAIR = re.compile(r"[\w)\]]\s*[:=]\s*[-+\d.]")


def is_table(lines: Sequence[str], suffix: str) -> bool:
    """Whether the first lines of a file are a table: names, then as many cells."""
    if not lines:
        return False
    if suffix.lower() in TABLE_SUFFIXES:
        return True
    delimiter = delimiter_of(lines[0])
    names = cells_of(lines[0], delimiter) or []
    if len(names) < 2 or _PAIR.search(lines[0]) or any(_is_number(name) for name in names):
        return False
    rows = [cells_of(line, delimiter) or [] for line in lines[1:6]]
    return not rows or any(len(row) == len(names) and any(map(_is_number, row)) for row in rows)


def column_names(line: str) -> list[str]:
    """The names in the first line; nameless columns get their number."""
    return _named(cells_of(line, delimiter_of(line)) or [])


def delimiter_of(line: str) -> str:
    """The delimiter that splits a line most."""
    return max(DELIMITERS, key=line.count)


def cells_of(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line, or None where a quote is torn."""
    text = line.rstrip("\r\n")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def table_rows(path: Path, notes: Notes, *, is_growing: bool = False) -> Iterator[Row]:
    """Each line under the names; the last of two columns with one name counts."""
    lines = lines_of(path, notes, is_growing=is_growing)
    first = next(lines, None)
    if first is None:
        return
    delimiter = delimiter_of(first[1])
    names = _with_tag(column_names(first[1]), path)
    _tell_twice(names, notes)
    if has_commas := delimiter != "," and _has_decimal_commas(path, delimiter):
        notes.add(DECIMAL_NOTE)
    number = 0
    for number, line in lines:
        cells = cells_of(line, delimiter)
        if cells is None:
            notes.fault(f"Line {number} has a torn quote and was left out.")
        elif _is_heading(cells, names):
            if names != (names := _named(cells)):
                notes.fault(f"Line {number} names other columns: what follows is read by them.")
                _tell_twice(names, notes)
            yield HEADING
        elif len(cells) > len(names):
            notes.fault(
                f"Line {number} has {counted(len(cells), 'cell')} for "
                f"{counted(len(names), 'column')}: left out."
            )
        else:
            if len(cells) < len(names):
                notes.fault(
                    f"Line {number} is cut after {len(cells)} of {counted(len(names), 'cell')}."
                )
                cells = cells[:-1] if not line.endswith("\n") else cells
            cells = [_with_point(cell) for cell in cells] if has_commas else cells
            yield dict(zip(names, cells, strict=False))
    if number == 0:
        notes.fault(f"Under its names ({listed(names)}) stands no row.")


def _named(cells: Sequence[str]) -> list[str]:
    return [name.strip() or f"column {at}" for at, name in enumerate(cells[:MOST_CELLS], start=1)]


def _with_tag(names: list[str], path: Path) -> list[str]:
    """The columns of one scalar that TensorBoard exports: its tag is in the file's name."""
    tag = path.stem.partition("-tag-")[2]
    if not tag or [name.lower() for name in names] != ["wall time", "step", "value"]:
        return names
    return [*names[:2], tag]


def _tell_twice(names: list[str], notes: Notes) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 1000 else []
    if twice:
        notes.fault(f"Columns that stand twice, the last one counts: {listed(twice)}.")


def _is_heading(cells: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a line is the heading again, or one that names mostly the same columns."""
    if cells == names:
        return True
    if len(cells) < 2 or cells[0][:1].isdigit() or any(_is_number(cell) for cell in cells):
        return False
    known = set(names)
    return sum(name in known for name in _named(cells)) * 2 > len(cells)


def _has_decimal_commas(path: Path, delimiter: str) -> bool:
    """Whether the first lines hold numbers with a comma that can be no other number.

    A point in any number speaks against it, and commas that may all part thousands do
    where nothing tells: semicolons part cells because commas are in the numbers.
    """
    has_comma = False
    for line in head_lines(head_of(path))[1:]:
        for cell in cells_of(line, delimiter) or []:
            if "." in cell and _is_number(cell):
                return False
            text = cell.strip()
            is_other = delimiter != ";" and _THOUSANDS.fullmatch(text)
            has_comma |= bool(_COMMA.fullmatch(text)) and not is_other
    return has_comma


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if "," in cell and _COMMA.fullmatch(cell.strip()) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
