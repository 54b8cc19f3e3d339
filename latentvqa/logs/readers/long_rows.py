"""Rows of a long table, where one column names the measure and another holds its value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from latentvqa.logs.readers.rows import Row

MOST_COLUMNS = 6  # a wider table has its measures in columns

_NAMES = ("tag", "metric", "measure", "variable", "key", "name")
_VALUES = ("value", "val", "scalar")


def widened(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with a column for each measure that a long table names; others as they are."""
    for row in rows:
        places = _places(tuple(row)) if 2 <= len(row) <= MOST_COLUMNS else None
        if places is None or not isinstance(row[places[0]], str):
            yield row
            continue
        name, value = places
        rest = {column: cell for column, cell in row.items() if column not in places}
        yield {**rest, row[name][:200]: row[value]}


@lru_cache(maxsize=1024)
def _places(columns: tuple[str, ...]) -> tuple[str, str] | None:
    """The columns of name and value, where there are both."""
    folded = {column.lower(): column for column in columns}
    name = next((folded[word] for word in _NAMES if word in folded), None)
    value = next((folded[word] for word in _VALUES if word in folded), None)
    return None if name is None or value is None else (name, value)
