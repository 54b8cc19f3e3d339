"""Texts for a terminal whose lines end only where a reader expects it.

They stand inside of something else: a console that is given a bare text makes
another text of it, which is broken anywhere.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, chop_cells
from rich.console import Console, JustifyMethod, OverflowMethod
from rich.containers import Lines
from rich.text import Text


class Prose(Text):
    """Sentences: a line ends between words, and never between a number and its sign."""

    pieces = re.compile(r"\s*\S+(?: %\S*)?\s*")  # what stays on one line, the blanks behind it too

    @property
    def least_width(self) -> int:
        """Columns below which a piece has to be broken."""
        return max((cell_len(one.strip()) for one in self.pieces.findall(self.plain)), default=0)

    def wrap(
        self,
        console: Console,
        width: int,
        *,
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        tab_size: int = 8,
        no_wrap: bool | None = None,
    ) -> Lines:
        """Give the lines that fit a width; a piece is broken where it is wider alone."""
        if no_wrap or overflow == "ignore":
            return super().wrap(
                console,
                width,
                justify=justify,
                overflow=overflow,
                tab_size=tab_size,
                no_wrap=no_wrap,
            )
        lines = Lines()
        for line in self.split(allow_blank=True):
            parts = line.divide(self._ends(line.plain, width))
            for part in parts:
                part.rstrip()
            lines.extend(parts)
        return lines

    def _ends(self, text: str, width: int) -> list[int]:
        """Where a line ends and another begins."""
        found, place, used = [], 0, 0
        for whole in self.pieces.findall(text):
            word = whole.rstrip()
            *parts, last = chop_cells(word, width) if cell_len(word) > width else [word]
            for piece in (*parts, last + whole[len(word) :]):
                if used and used + cell_len(piece.rstrip()) > width:
                    found.append(place)
                    used = 0
                place += len(piece)
                used += cell_len(piece)
        return found


class Name(Prose):
    """The name of a type, a run or an arm: a line may end behind a mark as well."""

    pieces = re.compile(r"[^ _/.-]*[ _/.-]|[^ _/.-]+")
