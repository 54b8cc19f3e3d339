"""What every format of tables gives: the columns of a file, as they stand in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.core.quoting import shortened
from latentvqa.data.cells import clean_text, is_one_text
from latentvqa.errors import DataError


@dataclass(frozen=True, eq=False)
class TableFile:
    """The columns of a file as they stand in it.

    Attributes:
        names: of the columns, as clean text; those without a name are empty.
        rows: row number of each data row: the header of a CSV is row 1, a
            JSONL row is numbered by its line, a Parquet row as in a CSV.
        cells_at: gives the cells of the column at a place among the names.
    """

    names: list[str]
    rows: np.ndarray
    cells_at: Callable[[int], list[Any]]

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        return self.cells_at(self.names.index(name))


def decoded(path: Path, data: bytes) -> str:
    """Decode the bytes of a table in text.

    Raises:
        DataError: naming the line that is not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        # without a mark its letters would be read with a NUL between them, which is dropped
        raise DataError(f"{path}: row 1: the table is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # a byte order mark is cut off before error.object, and holds no line end
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        start = before.rfind(b"\n") + 1
        near = error.object[start : error.end].decode("utf-8", "replace")[-40:]
        raise DataError(
            f"{path}: row {line} (counted in lines): byte 0x{error.object[error.start]:02x} at the "
            f"end of {near!r} is not UTF-8; save the table as UTF-8"
        ) from error


def clean_names(path: Path, given: list[str]) -> list[str]:
    """The names of the columns; those without one are never asked for, however many they are.

    Raises:
        DataError: if there is none, or one stands twice or is no text.
    """
    torn = [shortened(name) for name in given if not is_one_text(name)]
    if torn:
        raise DataError(f"{path}: row 1: column names that hold half of a character: {torn[0]}")
    names = [clean_text(name) for name in given]
    if not any(names):
        raise DataError(f"{path}: the table is empty; row 1 must name the columns")
    twice = sorted(name for name, times in Counter(names).items() if name and times > 1)
    if twice:
        shown = ", ".join(map(shortened, twice[:5])) + (" ..." if len(twice) > 5 else "")
        raise DataError(
            f"{path}: row 1: columns that stand twice: {shown}; rename or remove one of each"
        )
    return names
