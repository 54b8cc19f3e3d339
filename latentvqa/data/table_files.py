"""Read the columns of a table's file, strictly, in the format that its suffix names.

Nothing is guessed: a cell is what stands in the file. Only the columns that are asked
for are looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from latentvqa.data.table_formats.delimited import parse_csv, parse_tsv
from latentvqa.data.table_formats.objects import parse_json, parse_jsonl
from latentvqa.data.table_formats.table_file import TableFile, clean_names
from latentvqa.errors import DataError
from latentvqa.regular_files import NotAFileError, open_regular, read_regular


def read_table_bytes(path: Path) -> bytes:
    """Read a table's file, which must be a regular one.

    Raises:
        DataError: if it is none or cannot be read.
    """
    with _table_faults(path):
        return read_regular(path)


def require_table(path: Path) -> None:
    """Refuse a table that is not there or of no known format, before minutes of other work.

    Raises:
        DataError: if it is no file, cannot be opened, or has another suffix.
    """
    with _table_faults(path):
        open_regular(path).close()
    _parser_of(path)


@contextmanager
def _table_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except NotAFileError as error:
        raise DataError(f"{path}: {error}; name the file of the table") from error
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such table") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{str(path)!r}: no file has such a name: {error}") from error


def is_table(path: Path) -> bool:
    """Whether the suffix of a path is that of a table."""
    return path.suffix.lower() in _PARSERS


def parse_table(path: Path, data: bytes) -> TableFile:
    """Parse the bytes of a table by the suffix of its path.

    Raises:
        DataError: for an unknown suffix, a wrong encoding or a torn row.
    """
    return _parser_of(path)(path, data)


def _parser_of(path: Path) -> Callable[[Path, bytes], TableFile]:
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise DataError(
            f"{path}: the suffix {path.suffix!r} is not known; "
            f"name a table with one of {', '.join(_PARSERS)}"
        )
    return parse


def _parse_parquet(path: Path, data: bytes) -> TableFile:
    from latentvqa.data.table_formats.parquet import ParquetTable  # noqa: PLC0415  # takes 0.2 s

    table = ParquetTable(path, data)
    rows = np.arange(table.rows, dtype=np.int64) + 2
    return TableFile(clean_names(path, table.names), rows, table.cells_at)


_PARSERS: dict[str, Callable[[Path, bytes], TableFile]] = {
    ".csv": parse_csv,
    ".tsv": parse_tsv,
    ".jsonl": parse_jsonl,
    ".json": parse_json,
    ".parquet": _parse_parquet,
}
