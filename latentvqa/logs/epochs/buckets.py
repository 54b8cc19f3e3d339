"""What the rows of one epoch or window amount to, and which of their cells count."""

from __future__ import annotations

from typing import Any

from latentvqa.logs.columns.fields import Place, Split
from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.columns.names import SPLIT_WORDS, TEST_WORD
from latentvqa.logs.numbers import number, position
from latentvqa.logs.readers.rows import RUNNING, Row

LARGEST_EPOCH = 1_000_000


class Bucket:
    """Sums, counts and last values, by position of the column."""

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

    def held(self) -> set[int]:
        """Columns that were measured, be it as NaN."""
        return {at for at, count in enumerate(self.counts) if count} | self.nans


class RowShape:
    """What to do with the rows that have one set of columns."""

    __slots__ = ("cells", "epoch", "is_running", "split", "stage", "step")

    def __init__(self, names: tuple[str, ...], columns: Columns) -> None:
        self.cells: dict[str, Place] = {}
        self.epoch: str | None = None
        self.step: str | None = None
        self.stage: str | None = None
        self.split: str | None = None
        self.is_running = RUNNING in names
        known = [
            (name, held)
            for name in names
            if name != RUNNING and (held := columns.meaning(name)) is not None
        ]
        for name, meaning in sorted(known, key=lambda pair: pair[1].rank):
            place = meaning.field.attribute
            if meaning.field.place != "position":
                self.cells[name] = meaning.field.place
            elif getattr(self, place) is None:
                setattr(self, place, name)

    def epoch_of(self, row: Row) -> float | None:
        """The epoch that a row names."""
        place = None if self.epoch is None else position(row[self.epoch])
        return place if place is not None and place <= LARGEST_EPOCH else None

    def step_of(self, row: Row) -> float | None:
        """The step that a row names."""
        return None if self.step is None else position(row[self.step])

    def measures(self, row: Row) -> bool:
        """Whether a row holds a number beside its place."""
        places = (self.epoch, self.step)
        return any(number(row[name]) is not None for name in row if name not in places)

    def split_of(self, row: Row) -> Split:
        """The split that a row says it is of."""
        if self.split is None:
            return ""
        word = str(row[self.split]).strip().lower()
        if word == TEST_WORD:
            return "test"
        return "val" if SPLIT_WORDS.get(word) == "val" else ""
