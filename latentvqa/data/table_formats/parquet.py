"""Columns of a Parquet file as Python values; a column that nobody asks for is not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from latentvqa.core.figures import counted
from latentvqa.core.quoting import shortened
from latentvqa.data.faults import Faults
from latentvqa.errors import DataError

# what the library raises for files that are damaged or hold what Python cannot hold
_UNREADABLE = (pa.ArrowException, OSError, ValueError, ArithmeticError, MemoryError, LookupError)


class ParquetTable:
    """The columns of a Parquet file.

    Args:
        path: the file, for messages.
        data: its bytes.

    Attributes:
        names: of the columns, as they stand in it.
        rows: how many there are.

    Raises:
        DataError: if the bytes are no Parquet file.
    """

    def __init__(self, path: Path, data: bytes):
        self.path = path
        try:
            self._file = pq.ParquetFile(pa.BufferReader(data))
            self._schema = self._file.schema_arrow
            self.names: list[str] = [str(name) for name in self._schema.names]
            groups = range(self._file.metadata.num_row_groups)
            held = sum(self._file.metadata.row_group(group).num_rows for group in groups)
        except _UNREADABLE as error:
            raise DataError(f"{path}: not a readable Parquet file ({error})") from error
        self.rows = int(self._file.metadata.num_rows)
        if held != self.rows:
            raise DataError(
                f"{path}: not a readable Parquet file (it says that it has "
                f"{counted(self.rows, 'row')}, and its parts have {held:,})"
            )

    def cells_at(self, place: int) -> list[Any]:
        """Return the values of a column.

        Raises:
            DataError: naming the column, and the rows whose value has no text.
        """
        name = self.names[place]
        try:
            column = self._file.read(columns=[name], use_threads=False).column(name)
        except _UNREADABLE as error:
            raise DataError(
                f"{self.path}: column {shortened(name)} cannot be read from the Parquet file "
                f"({error})"
            ) from error
        if len(column) != self.rows:
            raise DataError(
                f"{self.path}: column {shortened(name)} holds "
                f"{counted(len(column), 'value')} for {counted(self.rows, 'row')}"
            )
        try:
            values: list[Any] = column.to_pylist()
        except _UNREADABLE:
            values = self._one_by_one(name, column)
        if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
            values = [None if value is None else _as_short(value) for value in values]
        return values

    def _one_by_one(self, name: str, column: pa.ChunkedArray) -> list[Any]:
        """Values of which some have no text: those are named."""
        wrong = Faults(
            self.path,
            "cells that cannot be read as text or number",
            "Save the column as text, in UTF-8.",
        )
        values = []
        for place, scalar in enumerate(column):
            try:
                values.append(scalar.as_py())
            except _UNREADABLE as error:
                cause = "not UTF-8" if isinstance(error, UnicodeError) else error
                wrong.add(
                    place + 2, f"column {shortened(name)}, of the type {column.type}: {cause}"
                )
        wrong.raise_if_any()
        return values


def _as_short(value: float) -> float:
    """A value of single precision as the shortest number that stands for it."""
    return float(str(np.float32(value)))
