"""Rows of a long table, where one column names the measure and another holds its value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from latentvqa.logs.readers.rows import Row

_NAMES = ("tag", "metric", "measure", "variable", "key", "name")
_VALUES = ("value", "val", "scalar")


def widened(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with a column for each measure that a long table names; others as they are."""
    for row in rows:
        places = _places(row)
        if places is None:
            yield row
            continue
        name, value = places
        rest = {column: cell for column, cell in row.items() if column not in places}
        yield {**rest, str(row[name])[:200]: row[value]}


def _places(row: Row) -> tuple[str, str] | None:
    """The columns of name and value, where a row has both and no measure beside them."""
    if not 2 <= len(row) <= len(_NAMES):
        return None
    folded = {column.lower(): column for column in row}
    name = next((folded[word] for word in _NAMES if word in folded), None)
    value = next((folded[word] for word in _VALUES if word in folded), None)
    if name is None or value is None or not isinstance(row[name], str):
        return None
    return name, value
