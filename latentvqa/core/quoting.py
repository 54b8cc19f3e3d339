"""Values of a file or of a command line as a message shows them: quoted, never long."""

from __future__ import annotations

_MOST_CHARACTERS = 40


def shortened(value: object, most: int = _MOST_CHARACTERS) -> str:
    """A text in quotes, anything else as Python writes it; cut where it is long."""
    if isinstance(value, str):
        return repr(cut(value, most))
    return cut(str(value), most)


def cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """A text, of a long one its beginning."""
    return text if len(text) <= most else f"{text[:most]} ..."
