"""Text from a log or a table, made fit to be shown."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


def printable(text: str) -> str:
    """Text without control characters, which could steer a terminal."""
    return "".join(character for character in text if character.isprintable())


def escaped(text: str) -> str:
    """Text of several lines whose control characters, which could steer a terminal, are escaped."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def plain(renderable: RenderableType, width: int = 80) -> str:
    """A renderable as lines without colour.

    Args:
        renderable: a table, a panel, a group of them.
        width: columns.
    """
    from rich.console import Console

    file = StringIO()
    Console(file=file, width=width, color_system=None).print(renderable)
    return file.getvalue().rstrip("\n")
