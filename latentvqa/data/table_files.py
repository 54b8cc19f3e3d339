"""Read the columns of a CSV, TSV, JSONL or Parquet file, strictly.

Nothing is guessed: a cell is what stands in the file, and a row that does not fit
the header is a fault with its number, never shifted or dropped. Only the columns
that are asked for are looked into.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.core.quoting import shortened
from latentvqa.data.cells import clean_text, is_one_text, number_text
from latentvqa.data.faults import Faults
from latentvqa.errors import DataError
from latentvqa.regular_files import NotAFileError, read_regular

_LARGEST_CELL = 2**31 - 1
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


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


def read_table_bytes(path: Path) -> bytes:
    """Read a table's file, which must be a regular one.

    Raises:
        DataError: if it is none or cannot be read.
    """
    try:
        return read_regular(path)
    except NotAFileError as error:
        raise DataError(f"{path}: {error}; name the file of the table") from error
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such table") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{str(path)!r}: no file has such a name: {error}") from error


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
    names = _clean_names(path, header)
    _check_separator(path, names, delimiter)
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
            after, first = shortened(names[-1]), shortened(record[width])
            torn.add(row, f"after column {after}: {len(record)} cells, from {first}")
        else:
            name = shortened(names[len(record)])
            torn.add(row, f"column {name}: missing, {len(record)} cells in the row")
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
        f"{rename}. The header is {shortened(names[0], 100)}"
    )


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
        parse_int=str,
        parse_float=_written_number,
        parse_constant=float,  # NaN and the infinities, which are no JSON
        object_pairs_hook=_object,
    )
    for row, line in enumerate(_decode(path, data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except json.JSONDecodeError as error:
            torn.add(row, f"character {error.colno}: {error.msg}")
            continue
        except RecursionError:
            torn.add(row, "objects or lists are nested too deeply")
            continue
        except ValueError as error:
            torn.add(row, str(error))
            continue
        if isinstance(record, dict):
            rows.append(row)
            records.append(record)
        else:
            torn.add(row, f"holds {shortened(line.strip())}")
    torn.raise_if_any()
    keys = list(dict.fromkeys(key for record in records for key in record))
    if not keys:
        raise DataError(f"{path}: the table is empty; each line must hold an object with its cells")
    return TableFile(
        _clean_names(path, keys),
        np.array(rows, dtype=np.int64),
        lambda place: [record.get(keys[place]) for record in records],
    )


def _written_number(text: str) -> str:
    """A number with decimals as it is written, unless it is a whole one."""
    number = float(text)
    return number_text(number) if number.is_integer() else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {shortened(twice)} stands twice")
    return record


def _parse_parquet(path: Path, data: bytes) -> TableFile:
    from latentvqa.data.parquet import ParquetTable  # noqa: PLC0415  # its library takes 0.2 s

    table = ParquetTable(path, data)
    rows = np.arange(table.rows, dtype=np.int64) + 2
    return TableFile(_clean_names(path, table.names), rows, table.cells_at)


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


def _clean_names(path: Path, given: list[str]) -> list[str]:
    """The names of the columns; those without one are never asked for, however many they are."""
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


_PARSERS: dict[str, Callable[[Path, bytes], TableFile]] = {
    ".csv": _parse_csv,
    ".tsv": _parse_tsv,
    ".jsonl": _parse_jsonl,
    ".parquet": _parse_parquet,
}
