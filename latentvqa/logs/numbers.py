"""What a cell of a foreign log says as a number; never an exception, never a guess."""

from __future__ import annotations

from typing import Any

LARGEST_POSITION = 2**53  # beyond it a float no longer counts by one

_MISSING = frozenset({"", "-", "--", "none", "null", "n/a", "na", "<na>"})


def is_missing(value: Any) -> bool:
    """Whether a cell is empty or says that there is nothing."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def number(value: Any) -> float | None:
    """The value as a float; NaN and infinities stay, text and booleans are None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if isinstance(value, int) and value > 0 else float("-inf")
    except ValueError:
        return _percentage(value)


def position(value: Any) -> float | None:
    """The value as an epoch or a step: finite, not negative, countable."""
    found = number(value)
    return found if found is not None and 0.0 <= found <= LARGEST_POSITION else None


def _percentage(value: str | float) -> float | None:
    text = str(value).strip()
    if not text.endswith("%"):
        return None
    try:
        return float(text[:-1]) / 100.0
    except ValueError:
        return None
