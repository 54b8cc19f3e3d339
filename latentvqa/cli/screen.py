"""How much of a run fits on a terminal: the newest epochs, and below them as much as may be."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType

_LINES_AROUND = 8  # of the epoch table and the line below, besides its rows
_FEWEST_ROWS = 3


def rows_above(
    console: Console, *choices: Sequence[RenderableType]
) -> tuple[int, Sequence[RenderableType]]:
    """How many epochs a table may have, and what stands below it.

    Args:
        console: the terminal.
        choices: what may stand below the table, the fullest first; the first one that
            leaves room for a few epochs is taken, else the last.

    Returns:
        Rows of the table, three at least, and the choice.
    """
    rows, below = 0, choices[-1]
    for below in choices:
        lines = sum(len(console.render_lines(one, pad=False)) for one in below)
        rows = console.height - lines - _LINES_AROUND
        if rows >= _FEWEST_ROWS:
            break
    return max(_FEWEST_ROWS, rows), below
