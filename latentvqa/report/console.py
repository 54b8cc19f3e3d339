"""What a terminal is shown: whatever the texts come from, none of them steers it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from latentvqa.report.text import escaped


class PlainConsole(Console):
    """A console that shows the control characters of a text, and obeys none of them.

    What Rich itself sends to colour a text or to move the cursor is no text.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments of a renderable with their texts escaped."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(escaped(segment.text), segment.style)
