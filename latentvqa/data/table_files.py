"""Read the columns of a CSV, TSV, JSONL or Parquet file, strictly.

Nothing is guessed: a cell is the text that stands in the file, and a row that
does not fit the header is a fault with its number, never shifted or dropped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.data.faults import Faults
from latentvqa.errors import DataError

_LARGEST_CELL = 2**31 - 1


@dataclass(frozen=True, eq=False)
class TableFile:
    """The columns of a file as they stand in it.

    Attributes:
        columns: the cells of each column, by its name.
        rows: row number of each data row: the header of a CSV is row 1, a
            JSONL row is numbered by its line, a Parquet row as in a CSV.
    """

    columns: dict[str, list[Any]]
    rows: np.ndarray


def parse_table(path: Path, data: bytes) -> TableFile:
    """Parse the bytes of a table by the suffix of its path.

    Raises:
        DataError: for an unknown suffix, a wrong encoding or a torn row.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise DataError(
            f"{path}: the suffix {path.suffix!r} is not known; "
            f"name a table with one of {', '.join(_PARSERS)}"
        )
    return parse(path, data)


def _parse_csv(path: Path, data: bytes) -> TableFile:
    return _parse_delimited(path, data, ",")


def _parse_tsv(path: Path, data: bytes) -> TableFile:
    return _parse_delimited(path, data, "\t")


def _parse_delimited(path: Path, data: bytes, delimiter: str) -> TableFile:
    text = _decode(path, data)
    records = _records(path, text, delimiter)
    header = next(records, (1, []))[1]
    names = [name.strip() for name in header]
    _check_names(path, names)
    width = len(names)
    torn = Faults(
        path,
        f"rows that do not have the {width} cells of the header",
        f"Put double quotes around a cell that holds {'a comma' if delimiter == ',' else 'a tab'}.",
    )
    rows: list[int] = []
    cells: list[list[str]] = []
    for row, record in records:
        if len(record) == width:
            rows.append(row)
            cells.append(record)
        elif len(record) > width:
            torn.add(
                row, f"after column {names[-1]!r}: {len(record)} cells, from {record[width]!r}"
            )
        else:
            torn.add(row, f"column {names[len(record)]!r}: missing, {len(record)} cells in the row")
    torn.raise_if_any()
    columns = dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)) if cells else {}
    return TableFile(columns or {name: [] for name in names}, np.array(rows, dtype=np.int64))


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


def _parse_jsonl(path: Path, data: bytes) -> TableFile:
    torn = Faults(path, "lines that are not one JSON object", "Write one object on each line.")
    rows: list[int] = []
    records: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(
        parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_object
    )
    for row, line in enumerate(_decode(path, data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except json.JSONDecodeError as error:
            torn.add(row, f"character {error.colno}: {error.msg}")
            continue
        except (ValueError, RecursionError) as error:
            torn.add(row, str(error))
            continue
        if isinstance(record, dict):
            rows.append(row)
            records.append(record)
        else:
            torn.add(row, f"holds {line.strip()[:40]!r}")
    torn.raise_if_any()
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: [record.get(name) for record in records] for name in names}
    return TableFile(columns, np.array(rows, dtype=np.int64))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return record


def _parse_parquet(path: Path, data: bytes) -> TableFile:
    import pyarrow as pa  # noqa: PLC0415  # costs 0.2 s that other tables need not pay
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({error})") from error
    _check_names(path, table.column_names)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return TableFile(columns, np.arange(table.num_rows, dtype=np.int64) + 2)


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
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


def _check_names(path: Path, names: list[str]) -> None:
    if not any(names):
        raise DataError(f"{path}: the table is empty; row 1 must name the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{path}: row 1: columns that stand twice: {', '.join(map(repr, twice))}; "
            "rename or remove one of each"
        )


_PARSERS: dict[str, Callable[[Path, bytes], TableFile]] = {
    ".csv": _parse_csv,
    ".tsv": _parse_tsv,
    ".jsonl": _parse_jsonl,
    ".parquet": _parse_parquet,
}
