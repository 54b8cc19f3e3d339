"""Facts and named rows of figures as tables in which nothing is broken on a narrow console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from latentvqa.report.text import printable
from latentvqa.report.whole_words import Name, Prose

_RULE = box.SIMPLE_HEAD.head_row_horizontal
_NAME_WIDTH = 20  # columns in which a long name reads well

Row = tuple[str, Sequence[str]]  # a name and its figures
Fact = tuple[str, str]  # what is told, and what is so


def fact_table(facts: Iterable[Fact]) -> Table:
    """Names of facts, dim, and beside them the facts, which may hold anything."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, fact in facts:
        grid.add_row(name, Prose(printable(fact)))
    return grid


def figure_table(
    name: str, headings: Sequence[str], rows: Sequence[Row], width: int, title: str = ""
) -> RenderableType:
    """Lay out rows of figures with their names.

    Args:
        name: heading of the names.
        headings: of the figures, with a line break where they may be broken.
        rows: names, which may hold anything, and their figures.
        width: columns of the console. Where they are few the headings are broken, and
            where that is not enough each name stands above its figures.
        title: above the table; empty without one.
    """
    names = [Name(printable(text)) for text, _ in rows]
    figures = [cells for _, cells in rows]
    longest = max((text.cell_len for text in names), default=0)
    least = max((text.least_width for text in names), default=0)
    # borders and gaps of the box that is used, with its own padding and with little
    for shown, gap in (([text.replace("\n", " ") for text in headings], 3), (headings, 2)):
        widths = _widths(shown, figures)
        room = width - 1 - gap - sum(cell + gap for cell in widths)
        if room >= max(least, min(longest, _NAME_WIDTH if gap == 3 else 0)):
            return _beside(name, shown, names, figures, title, is_tight=gap == 2)
    return _below(name, headings, names, figures, title)


def _beside(
    name: str,
    headings: Sequence[str],
    names: Sequence[Name],
    figures: Sequence[Sequence[str]],
    title: str,
    *,
    is_tight: bool,
) -> Table:
    padding = (0, 1, 0, 0) if is_tight else (0, 1)
    table = Table(box=box.SIMPLE_HEAD, padding=padding, title=title or None, title_justify="left")
    table.add_column(name)
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for text, cells in zip(names, figures, strict=True):
        table.add_row(text, *cells)
    return table


def _below(
    name: str,
    headings: Sequence[str],
    names: Sequence[Name],
    figures: Sequence[Sequence[str]],
    title: str,
) -> Group:
    """Each name on lines of its own, its figures below it."""
    widths = _widths(headings, figures)

    def line(cells: Sequence[str], style: str = "") -> Padding:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for cell_width in widths:
            grid.add_column(justify="right", no_wrap=True, width=cell_width, vertical="bottom")
        grid.add_row(*(Text(cell, style) for cell in cells))
        return Padding(grid, (0, 0, 0, 2))

    parts: list[RenderableType] = [Text(title, "italic")] if title else []
    parts += [
        Text(name, "bold"),
        line(headings, "bold"),
        Text(_RULE * (sum(widths) + 2 * len(widths))),
    ]
    for text, cells in zip(names, figures, strict=True):
        parts += [text, line(cells)]
    return Group("", *parts, "")


def _widths(headings: Sequence[str], figures: Sequence[Sequence[str]]) -> list[int]:
    columns = zip(headings, *figures, strict=True)
    return [max(len(line) for cell in cells for line in cell.split("\n")) for cells in columns]
