"""NaN that is a gap in a log, told from NaN that stays.

A gap closes: a number follows. What is still open at the end is a gap as long
as it is no longer than those before it. Decides nothing about single epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from latentvqa.logs.columns.fields import Field


class NaNGaps:
    """How long each column has been NaN, and how long it was before numbers came again."""

    def __init__(self) -> None:
        self._open: dict[Any, int] = {}
        self._longest: dict[Any, int] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def extend(self, column: Any) -> None:
        """Count one more NaN."""
        self._open[column] = self._open.get(column, 0) + 1

    def close(self, column: Any) -> None:
        """A number ends a gap."""
        length = self._open.pop(column, 0)
        self._longest[column] = max(length, self._longest.get(column, 0))

    def has_stayed(self, column: Any) -> bool:
        """Whether the column is NaN for longer than it ever was before a number."""
        return self._open.get(column, 0) > self._longest.get(column, 0)

    def has_closed(self, column: Any) -> bool:
        """Whether a number ever followed NaN."""
        return self._longest.get(column, 0) > 0


def without_unmeasured(epochs: list[dict[Field, float]]) -> tuple[list[dict[Field, float]], int]:
    """Epochs without the validation that was not measured in them.

    Validation is not measured where it is NaN, training is finite, and numbers
    follow, or will after no longer a gap than those before.

    Args:
        epochs: the values of each, in order.

    Returns:
        The epochs, and how many of them were not validated.
    """
    gaps = NaNGaps()
    waiting: dict[Field, list[int]] = {}
    unmeasured: list[tuple[int, Field]] = []
    for place, values in enumerate(epochs):
        has_trained = _has_finite_training(values)
        for field, value in values.items():
            if field.place != "val":
                continue
            if not isnan(value):
                gaps.close(field)
                unmeasured += [(at, field) for at in waiting.pop(field, [])]
            elif has_trained:
                gaps.extend(field)
                waiting.setdefault(field, []).append(place)
    for field, places in waiting.items():
        if gaps.has_closed(field) and not gaps.has_stayed(field):
            unmeasured += [(at, field) for at in places]
    left = [dict(values) for values in epochs]
    for at, field in unmeasured:
        del left[at][field]
    return left, len({at for at, _ in unmeasured})


def _has_finite_training(values: Mapping[Field, float]) -> bool:
    training = [value for field, value in values.items() if field.place == "train"]
    return bool(training) and all(abs(value) < float("inf") for value in training)
