"""Turn the cells of a table into clean text and into references."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.core.figures import counted
from latentvqa.core.quoting import shortened
from latentvqa.data.faults import Faults
from latentvqa.data.visible_text import visible_text

_BLANK_ADVICE = "Fill the cells or remove the rows."
MOST_EXACT = 2.0**53  # above it a float does not tell whole numbers apart
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
# how Python and its libraries print a list of texts: ['a', 'b'], ('a', 'b'), array(['a', 'b'])
_PYTHON_LIST = re.compile(
    r"""(array\()?(\[\s*['"].*\]|\(\s*['"].*['"]\s*,.*\)|\{\s*['"].*['"]\s*\})"""
    r"""(,\s*dtype=.*)?\)?""",
    re.DOTALL,
)


def number_text(number: float) -> str:
    """Return a number as a person writes it: a whole one without decimals."""
    is_whole = number.is_integer() and abs(number) <= MOST_EXACT
    return str(int(number)) if is_whole else str(number)


def cell_text(cell: object) -> str:
    """Return a scalar cell as text in Unicode NFC without space around it."""
    if isinstance(cell, str):
        text = cell
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    else:
        text = number_text(cell) if isinstance(cell, float) else str(cell)
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def clean_text(cell: object) -> str:
    """Return :func:`cell_text` without the characters that nobody sees."""
    return cell_text(visible_text(cell) if isinstance(cell, str) else cell)


def is_missing(cell: object) -> bool:
    """Whether a cell holds nothing: null, or the NaN that stands for it among floats."""
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def is_one_text(cell: object) -> bool:
    """Whether a cell that is not missing is one text or number, and no half of a character."""
    if isinstance(cell, str):
        return cell.isascii() or not _HALF_CHARACTER.search(cell)
    if isinstance(cell, float):
        return math.isfinite(cell)
    return not isinstance(cell, list | dict | bytes)


class CellReader:
    """Reads the cells of one table, and counts those from which it drops characters.

    Args:
        path: the table, for messages.
        rows: row number of each cell of a column.
    """

    def __init__(self, path: Path, rows: np.ndarray):
        self.path, self.rows = path, rows.tolist()
        self._dropped = 0
        self._first_dropped = ""

    def file_names(self, cells: Sequence[object], column: str) -> list[str]:
        """Return the names of files, letter by letter: their folder says how it writes them.

        Raises:
            DataError: listing rows whose cell is blank or not one text.
        """
        return self._read(cells, column, is_file_name=True)

    def texts(
        self, cells: Sequence[object], column: str, *, may_be_blank: bool = False
    ) -> list[str]:
        """Return the texts of a column.

        Args:
            cells: one for each row.
            column: their column's name in the file.
            may_be_blank: whether a missing text is an empty one and no fault.

        Raises:
            DataError: listing rows whose cell is blank or not one text.
        """
        return self._read(cells, column, may_be_blank=may_be_blank)

    def count_dropped(self, row: int, column: str) -> None:
        """Count a cell from which characters were dropped."""
        self._dropped += 1
        self._first_dropped = self._first_dropped or f"row {row}, column {column!r}"

    def notes(self) -> tuple[str, ...]:
        """Say in one sentence what was dropped, if anything was."""
        if not self._dropped:
            return ()
        cells = counted(self._dropped, "cell")
        return (
            f"{self.path}: characters that cannot be seen were dropped from {cells}, "
            f"first {self._first_dropped}",
        )

    def _read(
        self,
        cells: Sequence[object],
        column: str,
        *,
        may_be_blank: bool = False,
        is_file_name: bool = False,
    ) -> list[str]:
        blank = Faults(self.path, "blank cells", _BLANK_ADVICE)
        wrong = Faults(
            self.path, "cells that are not one text", "Write one text or number in each."
        )
        texts: list[str] = []
        for row, cell in zip(self.rows, cells, strict=True):
            text = ""
            if is_missing(cell):
                pass
            elif not is_one_text(cell):
                wrong.add(row, f"column {column!r}: {shortened(cell)}")
                text = "?"
            elif is_file_name:
                text = cell.strip() if isinstance(cell, str) else cell_text(cell)
            else:
                text = self._clean(cell, row, column)
            if not text and not may_be_blank:
                blank.add(row, f"column {column!r}")
            texts.append(text)
        wrong.raise_if_any()
        blank.raise_if_any()
        return texts

    def _clean(self, cell: object, row: int, column: str) -> str:
        if isinstance(cell, str):
            seen = visible_text(cell)
            if len(seen) < len(cell):
                self.count_dropped(row, column)
            cell = seen
        return cell_text(cell)


class AnswerCells:
    """Reader of the references in an answer column.

    Args:
        table: reader of the table's cells.
        column: the column's name in it.
        is_list: whether a text cell must be a JSON list (``answers``); in
            ``answer`` a JSON list of texts is read as one, a list as Python
            prints it is a fault, and any other text is the answer itself.
    """

    def __init__(self, table: CellReader, column: str, *, is_list: bool):
        self._table, self.column, self.is_list = table, column, is_list
        self._blank = Faults(table.path, "blank answers", _BLANK_ADVICE)
        self._wrong = Faults(
            table.path,
            "answers that cannot be read",
            'Write several answers as a JSON list in the column answers: ["a cat", "cat"]',
        )
        self._known: dict[str, tuple[str, ...]] = {}

    def read(self, cells: Sequence[Any], *, is_required: bool) -> list[tuple[str, ...]]:
        """Return the references of each row.

        Raises:
            DataError: listing unreadable cells, and blank ones if required.
        """
        rows = self._table.rows
        references = [self._references(row, cell) for cell, row in zip(cells, rows, strict=True)]
        self._wrong.raise_if_any()
        for row, given in zip(rows, references, strict=True):
            if not all(given) or (is_required and not given):
                self._blank.add(row, f"column {self.column!r}")
        self._blank.raise_if_any()
        return references

    def _references(self, row: int, cell: Any) -> tuple[str, ...]:
        if isinstance(cell, str):
            if not (cell.isascii() and cell.isprintable()) and visible_text(cell) != cell:
                self._table.count_dropped(row, self.column)
            if cell not in self._known:
                self._known[cell] = self._from_text(row, cell)
            return self._known[cell]
        if is_missing(cell):
            return ()
        return self._from_list(row, cell if isinstance(cell, list) else [cell])

    def _from_text(self, row: int, cell: str) -> tuple[str, ...]:
        if not is_one_text(cell):
            return self._from_list(row, [cell])
        text = clean_text(cell)
        items = _json_list(text) if text.startswith("[") else None
        if items is not None and (self.is_list or _are_texts(items)):
            return self._from_list(row, items)
        if text and (self.is_list or _PYTHON_LIST.fullmatch(text)):
            self._wrong.add(row, f"column {self.column!r}: {shortened(text)} is not a JSON list")
            return ()
        return (text,) if text else ()

    def _from_list(self, row: int, items: list[Any]) -> tuple[str, ...]:
        if not all(is_missing(item) or is_one_text(item) for item in items):
            said = shortened(items[0] if len(items) == 1 else items)
            self._wrong.add(row, f"column {self.column!r}: {said} is no text and no list of texts")
            return ()
        return tuple("" if is_missing(item) else clean_text(item) for item in items)


def _json_list(text: str) -> list[Any] | None:
    try:
        items = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None


class _Number(str):
    """A JSON number as it is written."""


def _are_texts(items: list[Any]) -> bool:
    return any(type(item) is str for item in items) and all(
        type(item) is str or is_missing(item) for item in items
    )
