"""Commas in the numbers of a text: decimal points, or marks between thousands.

A comma that may be either is a mark of thousands beside numbers with a point.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

DECIMAL_NOTE = "Its numbers have decimal commas: 0,5 is read as 0.5."

_ENDS = r"(?![\w]|[.,]\d)"
_STARTS = r"(?<![\w.,])(?<!\d:)"  # not inside a list, nor the milliseconds of a clock
_DECIMAL = re.compile(rf"{_STARTS}([-+]?\d+),(\d+(?:[eE][-+]?\d+)?){_ENDS}")
_THOUSANDS = re.compile(rf"{_STARTS}[-+]?[1-9]\d{{0,2}}(?:,\d{{3}})+(?:\.\d+)?{_ENDS}")
_WITH_POINT = re.compile(r"[:=]\s*[-+]?\d+\.\d")
_WITH_COMMA = re.compile(rf"[:=]\s*(?P<number>[-+]?\d+,\d+(?:[eE][-+]?\d+)?){_ENDS}")


def has_decimal_commas(lines: Iterable[str]) -> bool:
    """Whether numbers behind a name and a sign have commas that can be no other thing."""
    has_comma = False
    for line in lines:
        if _WITH_POINT.search(line):
            return False
        numbers = (found["number"] for found in _WITH_COMMA.finditer(line))
        has_comma |= any(not _THOUSANDS.fullmatch(number) for number in numbers)
    return has_comma


def with_points(line: str) -> str:
    """A line whose decimal commas are points."""
    return _DECIMAL.sub(r"\1.\2", line) if "," in line else line


def without_thousands(line: str) -> str:
    """A line without the commas between thousands."""
    return _THOUSANDS.sub(lambda found: found[0].replace(",", ""), line) if "," in line else line


def comma_reading(lines: Iterable[str]) -> Callable[[str], str]:
    """How the commas in the lines of a file are read, by its first lines."""
    return with_points if has_decimal_commas(lines) else without_thousands
