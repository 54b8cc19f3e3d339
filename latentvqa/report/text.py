"""Text from a log or a table, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text without control characters, which could steer a terminal."""
    return "".join(character for character in text if character.isprintable())
