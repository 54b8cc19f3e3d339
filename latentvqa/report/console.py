"""What a terminal is shown: whatever the texts come from, none of them steers it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from latentvqa.report.text import escaped

_KERNEL = "JPY_PARENT_PID"  # set for a kernel of Jupyter, and for what a notebook calls


class PlainConsole(Console):
    """A console that shows the control characters of a text, and obeys none of them.

    What Rich itself sends to colour a text or to move the cursor is no text.
    """

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
