"""Turn the cells of a table into clean text and into references."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.data.faults import Faults

_BLANK_ADVICE = "Fill the cells or remove the rows."


def clean_text(cell: object) -> str:
    """Return a scalar cell as text in Unicode NFC without space around it."""
    if isinstance(cell, str):
        text = cell
    elif isinstance(cell, bool):
        text = "true" if cell else "false"
    else:
        text = str(cell)
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def clean_cells(path: Path, cells: Sequence[object], rows: np.ndarray, column: str) -> list[str]:
    """Return the texts of a column in which no cell may be blank.

    Raises:
        DataError: listing rows whose cell is blank or not a single value.
    """
    blank = Faults(path, "blank cells", _BLANK_ADVICE)
    nested = Faults(path, "cells that are not one text", "Write one text or number in each.")
    cleaned: list[str] = []
    for place, cell in enumerate(cells):
        text = ""
        if isinstance(cell, (list, dict, bytes)):
            nested.add(int(rows[place]), f"column {column!r}: {str(cell)[:40]}")
        elif cell is not None:
            text = clean_text(cell)
        if not text and not isinstance(cell, (list, dict, bytes)):
            blank.add(int(rows[place]), f"column {column!r}")
        cleaned.append(text)
    nested.raise_if_any()
    blank.raise_if_any()
    return cleaned


class AnswerCells:
    """Reader of the references in an answer column.

    Args:
        path: the table, for messages.
        column: the column's name in it.
        is_list: whether a text cell must be a JSON list (``answers``); in
            ``answer`` a JSON list of texts is read as one, any other text is
            the answer itself.
    """

    def __init__(self, path: Path, column: str, *, is_list: bool):
        self.column, self.is_list = column, is_list
        self._blank = Faults(path, "blank answers", _BLANK_ADVICE)
        self._wrong = Faults(
            path, "answers that cannot be read", 'Write several answers as a list: ["a cat", "cat"]'
        )
        self._known: dict[str, tuple[str, ...]] = {}

    def read(
        self, cells: Sequence[Any], rows: np.ndarray, *, is_required: bool
    ) -> list[tuple[str, ...]]:
        """Return the references of each row.

        Raises:
            DataError: listing unreadable cells, and blank ones if required.
        """
        references = [
            self._references(int(row), cell) for cell, row in zip(cells, rows, strict=True)
        ]
        self._wrong.raise_if_any()
        for place, given in enumerate(references):
            if not all(given) or (is_required and not given):
                self._blank.add(int(rows[place]), f"column {self.column!r}")
        self._blank.raise_if_any()
        return references

    def _references(self, row: int, cell: Any) -> tuple[str, ...]:
        if isinstance(cell, str):
            if cell not in self._known:
                self._known[cell] = self._from_text(row, cell)
            return self._known[cell]
        if cell is None:
            return ()
        return self._from_list(row, cell if isinstance(cell, list) else [cell])

    def _from_text(self, row: int, cell: str) -> tuple[str, ...]:
        text = clean_text(cell)
        items = _json_list(text) if text.startswith("[") else None
        if self.is_list and text and items is None:
            self._wrong.add(row, f"column {self.column!r}: {text[:40]!r} is not a JSON list")
            return ()
        if items is not None and (self.is_list or _are_texts(items)):
            return self._from_list(row, items)
        return (text,) if text else ()

    def _from_list(self, row: int, items: list[Any]) -> tuple[str, ...]:
        if any(isinstance(item, (list, dict, bytes)) for item in items):
            self._wrong.add(
                row, f"column {self.column!r}: {str(items)[:40]} is not a list of texts"
            )
            return ()
        return tuple("" if item is None else clean_text(item) for item in items)


def _json_list(text: str) -> list[Any] | None:
    try:
        items = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return None
    return items if isinstance(items, list) else None


class _Number(str):
    """A JSON number as it is written."""


def _are_texts(items: list[Any]) -> bool:
    return bool(items) and all(type(item) is str for item in items)
