"""Collect the faults of a table, so that one error names them all."""

from __future__ import annotations

from pathlib import Path

from latentvqa.errors import DataError

SHOWN = 10


class Faults:
    """Faults of one kind in one table.

    Args:
        path: the table.
        kind: what is wrong, in the plural, such as ``"blank cells"``.
        advice: what to do about it, as a sentence.
    """

    def __init__(self, path: Path, kind: str, advice: str):
        self.path, self.kind, self.advice = path, kind, advice
        self.count = 0
        self.shown: list[str] = []

    def add(self, row: int, text: str) -> None:
        """Note a fault in a row; only the first ten are kept as text."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(f"  row {row}, {text}")

    def raise_if_any(self) -> None:
        """Raise one error that lists the first faults and their number.

        Raises:
            DataError: if any fault was noted.
        """
        if not self.count:
            return
        more = self.count - len(self.shown)
        tail = [f"  and {more} more"] if more else []
        head = f"{self.path}: {self.kind} ({self.count}):"
        raise DataError("\n".join([head, *self.shown, *tail, self.advice]))
