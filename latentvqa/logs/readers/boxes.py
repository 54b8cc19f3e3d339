"""Boxes that list one measure a line under headings, as trainers of policies print them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from latentvqa.logs.readers.rows import Row

_BARS = str.maketrans(dict.fromkeys("│┃║", "|"))


def boxed_cells(line: str) -> tuple[str, str] | None:
    """Name and value of one line of a box, or None; a heading has no value."""
    text = line.translate(_BARS).strip()
    if len(text) < 3 or text[0] != "|" or text[-1] != "|":
        return None
    cells = text[1:-1].split("|")
    if len(cells) != 2 or not cells[0].strip():
        return None
    name, value = cells[0].strip(), cells[1].strip()
    return (name, value) if not value or _is_number(value) else None


def boxed_rows(lines: Iterable[str]) -> Iterator[Row]:
    """One row per box: a name that comes again begins the next one."""
    row: dict[str, str] = {}
    group = ""
    for line in lines:
        cells = boxed_cells(line)
        if cells is None:
            continue
        name, value = cells
        if not value:
            group = name if name.endswith("/") else f"{name}/"
            continue
        column = f"{group}{name}"
        if column in row:
            yield row
            row = {}
        row[column] = value
    if row:
        yield row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
