"""Sums, counts and last values of the rows of one epoch or window; it knows no columns."""

from __future__ import annotations

from typing import Any


class Bucket:
    """What the rows of one epoch or window amount to, by position of the column."""

    __slots__ = ("counts", "lasts", "nans", "stage", "sums")

    def __init__(self) -> None:
        self.sums: list[float] = []
        self.counts: list[int] = []
        self.lasts: list[float] = []
        self.nans: set[int] = set()  # columns that were NaN, which is not added up
        self.stage: Any = None

    def add(self, index: int, value: float) -> None:
        """Count one value of a column."""
        if index >= len(self.sums):
            more = index + 1 - len(self.sums)
            self.sums += [0.0] * more
            self.counts += [0] * more
            self.lasts += [0.0] * more
        self.sums[index] += value
        self.counts[index] += 1
        self.lasts[index] = value

    def merge(self, later: Bucket) -> None:
        """Take in the bucket that follows."""
        for index, count in enumerate(later.counts):
            if count:
                self.add(index, later.lasts[index])
                self.sums[index] += later.sums[index] - later.lasts[index]
                self.counts[index] += count - 1
        self.nans |= later.nans
        self.stage = later.stage if later.stage is not None else self.stage
