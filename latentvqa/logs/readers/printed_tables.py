"""Rows of a table as people print it: bars as in Markdown, rules, or columns of spaces.

Its heading may stand below lines of text; what is no row of the table is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentvqa.logs.columns.names import meaning_of
from latentvqa.logs.notes import Notes
from latentvqa.logs.readers.rows import HEADING, Row
from latentvqa.logs.readers.source import lines_of

HEADING_WITHIN = 60  # lines in which a heading is looked for
MOST_CELLS = 1000
LONGEST_LINE = 20_000

_BARS = str.maketrans(dict.fromkeys("│┃║┆┇┊┋", "|"))
_RULE = re.compile(r"[\s|+:=\-_─━═┼╪╋├┤┬┴┌┐└┘╒╕╘╛╞╡╤╧┏┓┗┛┡┩┳┻╇*#]+")
_NAME = re.compile(r"[^\W\d]")
_PAIR = re.compile(r"[:=]\s*[-+]?[\d.]")
_WIDE = re.compile(r"\s{2,}|\t+")


@dataclass(frozen=True)
class PrintedTable:
    """How a printed table is laid out.

    Attributes:
        names: its columns; a column of row numbers without a name is ``index``.
        has_bars: whether bars part the cells, else spaces do.
        heading: the cells of its heading, by which it is known again.
    """

    names: tuple[str, ...]
    has_bars: bool
    heading: tuple[str, ...]


def printed_table(lines: Sequence[str]) -> PrintedTable | None:
    """The layout of the first table in the first lines of a file, or None."""
    held = [line[:LONGEST_LINE] for line in lines[:HEADING_WITHIN]]
    held = [line for line in held if line.strip() and not _RULE.fullmatch(line.strip())]
    for at, line in enumerate(held[:-1]):
        for has_bars, cells in _headings(line):
            index, below = _index_name(held, at, len(cells), has_bars)
            if not below:
                continue
            names = (index, *cells) if index is not None else cells
            if _is_row(below, len(names), has_bars) and any(map(meaning_of, cells)):
                return PrintedTable(tuple(names), has_bars, cells)
    return None


def measures_in(table: PrintedTable, lines: Sequence[str]) -> int:
    """How many measures the table holds in these lines."""
    known = sum(meaning_of(name) is not None for name in table.names)
    rows = sum(_is_row(line[:LONGEST_LINE], len(table.names), table.has_bars) for line in lines)
    return known * rows


def printed_rows(
    path: Path, notes: Notes, table: PrintedTable, *, is_growing: bool = False
) -> Iterator[Row]:
    """Each row of the table under its names."""
    is_begun = False
    for _, line in lines_of(path, notes, is_growing=is_growing):
        text = line[:LONGEST_LINE]
        if any(cells == table.heading for _, cells in _headings(text)):
            if is_begun:
                yield HEADING
            is_begun = True
        elif is_begun and _is_row(text, len(table.names), table.has_bars):
            yield dict(zip(table.names, _cells(text, table.has_bars), strict=True))


def _headings(line: str) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """The ways in which a line can be a heading: with bars, wide spaces or any spaces."""
    if _PAIR.search(line):
        return
    text = line.translate(_BARS).strip().removeprefix("#").strip()
    if "|" in text:
        yield from _named(True, _cells(line, has_bars=True))
        return
    for cells in (_WIDE.split(text), text.split()):
        yield from _named(False, tuple(cells))


def _named(has_bars: bool, cells: tuple[str, ...]) -> Iterator[tuple[bool, tuple[str, ...]]]:
    if 2 <= len(cells) <= MOST_CELLS and all(map(_is_name, cells)):
        yield has_bars, cells


def _is_name(cell: str) -> bool:
    return bool(_NAME.search(cell)) and not _is_number(cell)


def _index_name(
    lines: Sequence[str], at: int, names: int, has_bars: bool
) -> tuple[str | None, str]:
    """The name of a column of row numbers before the named ones, and the first row."""
    below = lines[at + 1]
    if has_bars:
        return None, below
    words = below.split()
    if len(words) == 1 and _NAME.search(words[0]) and at + 2 < len(lines):
        return words[0], lines[at + 2]
    return ("index" if len(words) == names + 1 and words[0].isdigit() else None), below


def _is_row(line: str, names: int, has_bars: bool) -> bool:
    """Whether a line has a cell for every name, and numbers in most of them."""
    cells = _cells(line, has_bars)
    if len(cells) != names:
        return False
    numbers = sum(map(_is_number, cells))
    return numbers >= 1 and 2 * (numbers + cells.count("") + cells.count("-")) >= names


def _cells(line: str, has_bars: bool) -> tuple[str, ...]:
    text = line.translate(_BARS).strip()
    if not has_bars:
        return tuple(text.split())
    if text.startswith("|"):
        text = text[1:]
    if text.endswith("|"):
        text = text[:-1]
    return tuple(cell.strip().strip("*`") for cell in text.split("|", MOST_CELLS))


def _is_number(cell: str) -> bool:
    try:
        float(cell.rstrip("%"))
    except ValueError:
        return False
    return True
