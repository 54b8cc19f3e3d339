"""Text from a log, a table or a name, made fit to be shown."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType


# controls but the end of a line, marks of direction, separators, halves of characters
_STEERING = re.compile(
    "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
    "\\ud800-\\udfff\\ufff9-\\ufffb]"
)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str) -> str:
    """Text of one line without the characters that could steer a terminal."""
    return text if text.isprintable() else _STEERING.sub("", text).replace("\n", "")


def escaped(text: str) -> str:
    """Text of several lines in which what could steer a terminal is shown and not obeyed."""
    return text if text.isprintable() else _STEERING.sub(lambda one: ascii(one[0])[1:-1], text)


def formula_escaped(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe where one would."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def json_text(value: Any, indent: int = 1) -> str:
    """A value as JSON in which no character can steer a terminal: JSON has its own escapes."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _STEERING.sub(lambda one: json.dumps(one[0])[1:-1], text)


def say(text: str, *, is_notice: bool = False, is_prose: bool = False) -> None:
    """Print text that may hold anything.

    Args:
        text: to be shown.
        is_notice: on stderr, and as prose; else on stdout.
        is_prose: whether a terminal breaks long lines between words. Lines that begin
            with two blanks hold commands and stay whole.
    """
    stream = sys.stderr if is_notice else sys.stdout
    shown = escaped(text)
    if (is_notice or is_prose) and stream.isatty():
        shown = "\n".join(_broken(line, _columns(stream)) for line in shown.split("\n"))
    print(shown, file=stream, flush=is_notice)


def _columns(terminal: TextIO) -> int:
    try:
        return os.get_terminal_size(terminal.fileno()).columns
    except OSError:  # a stand-in that only says that it is one
        return 0


def _broken(line: str, width: int) -> str:
    if not 0 < width < len(line) or line.startswith("  "):
        return line
    kept = line.replace(" %", "\N{NO-BREAK SPACE}%")  # a number and its sign are one word
    filled = textwrap.fill(kept, width, break_long_words=False, break_on_hyphens=False)
    return filled.replace("\N{NO-BREAK SPACE}%", " %")


def plain(renderable: RenderableType, width: int = 80) -> str:
    """A renderable as lines without colour.

    Args:
        renderable: a table, a panel, a group of them.
        width: columns.
    """
    from latentvqa.report.console import PlainConsole

    file = StringIO()
    PlainConsole(file=file, width=width, color_system=None).print(renderable)
    return file.getvalue().rstrip("\n")
