"""What a terminal is shown: whatever the texts come from, none of them steers it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.theme import Theme

from latentvqa.report.style import INFO, OK
from latentvqa.report.text import escaped

_THEME = Theme(
    {
        "bar.complete": INFO,
        "bar.finished": OK,
        "bar.pulse": INFO,
        "progress.download": OK,
        "progress.remaining": INFO,
        "prompt.default": f"bold {INFO}",
        "markdown.code": f"bold {INFO}",
        "markdown.h2": "bold underline",
        "markdown.h3": "bold",
        "markdown.h4": "italic",
        "markdown.table.header": "bold",
        "markdown.table.border": "dim",
        "markdown.item.number": "bold",
        "markdown.block_quote": "italic",
        "markdown.link": INFO,
        "markdown.link_url": INFO,
    }
)
_KERNEL = "JPY_PARENT_PID"  # set for a kernel of Jupyter, and for what a notebook calls


class PlainConsole(Console):
    """A console that shows the control characters of a text, and obeys none of them.

    What Rich itself sends to colour a text or to move the cursor is no text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"theme": _THEME, **options})

    @property
    def is_terminal(self) -> bool:
        """Whether lines can be drawn over: a notebook shows each drawing below the last."""
        return super().is_terminal and _KERNEL not in os.environ

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments of a renderable with their texts escaped."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(escaped(segment.text), segment.style)
