"""Rows of a log, added up per epoch or per window of steps, one at a time.

Keeps sums, counts and last values, so that a log of any length fits. Does not
decide what a column means.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from math import isnan
from typing import Any, Literal

from latentvqa.logs.columns.fields import Place
from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.columns.names import SPLIT_WORDS, TEST_WORD
from latentvqa.logs.epochs.nan_gaps import NaNGaps
from latentvqa.logs.notes import Notes
from latentvqa.logs.numbers import is_missing, number, position
from latentvqa.logs.readers.rows import HEADING, Row

Counting = Literal["epochs", "steps", "windows"]


MOST_WINDOWS = 200
LARGEST_EPOCH = 1_000_000
MOST_EPOCHS = 10_000  # more distinct epochs than this are no epochs
ROWS_BEFORE_DECIDING = 1000
MOST_SHAPES = 1000  # distinct sets of columns that are remembered


class Accumulation:
    """All rows of a log.

    Args:
        columns: what its columns mean.
        notes: takes what was left out.
        steps_per_epoch: turns steps into epochs where the log has none.

    Attributes:
        buckets: by epoch, or by number of the window.
        counting: what the buckets count.
        columns_used: ``(column, row is validation)`` in the order of the indices.
        is_stepwise: whether rows are steps, so that an epoch is their mean.
        gaps: how long each column has been NaN at the end.
    """

    def __init__(self, columns: Columns, notes: Notes, steps_per_epoch: int | None) -> None:
        self.buckets: dict[int, Bucket] = {}
        self.counting: Counting = "epochs"
        self.columns_used: dict[tuple[str, bool], int] = {}
        self._columns = columns
        self._notes = notes
        self._steps_per_epoch = steps_per_epoch
        self._shapes: dict[tuple[str, ...], _RowShape] = {}
        self._epoch: float | None = None
        self._rows_left_out = 0
        self._begin()

    def _begin(self) -> None:
        """Forget the rows so far."""
        self.buckets = {}
        self.columns_used = {}
        self.gaps = NaNGaps()
        self._width = 1
        self._origin = 0
        self._first_epoch: float | None = None
        self._first_step: int | None = None
        self._step = -1
        self._rows = 0
        self._has_fractions = self._has_rising_steps = self._is_headed = False

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add the rows; the first thousand decide whether they name their epochs."""
        stream = iter(rows)
        first = list(islice(stream, ROWS_BEFORE_DECIDING))
        told = (self._told_epoch(row, self._shape(row)) for row in first)
        self._epoch = next((epoch for epoch in told if epoch is not None), None)
        if self._epoch is None:
            self.counting = "windows" if self._steps_per_epoch is None else "steps"
        for row in chain(first, stream):
            if row is HEADING:
                self._is_headed = True
                continue
            if self._is_another_run(row):
                self._rows_left_out += self._rows
                self._begin()
            self._add(row)
            self._rows += 1
            self._is_headed = False
        if self._rows_left_out:
            self._notes.add(
                "The log holds several runs, one after the other: the last one is read, "
                f"{self._rows_left_out} rows before it are left out."
            )

    @property
    def is_stepwise(self) -> bool:
        """Steps that rise inside an epoch, fractions, or epochs that mostly repeat."""
        if self.counting != "epochs" or self._has_fractions or self._has_rising_steps:
            return True
        repeated = sum(max(b.counts, default=0) > 1 for b in self.buckets.values())
        return repeated * 2 > len(self.buckets)

    def _add(self, row: Row) -> None:
        shape = self._shape(row)
        key = self._key(row, shape)
        bucket = self.buckets.get(key)
        is_val = shape.is_validation(row)
        has_nan = False
        for name in shape.cells:
            value = row[name]
            if value.__class__ is not float:
                if is_missing(value):
                    continue
                told = number(value)
                if told is None:
                    self._notes.fault(f"Column {name} holds {str(value)[:30]!r}, not a number.")
                    continue
                value = told
            if bucket is None:
                bucket = self.buckets[key] = Bucket()
            used = self.columns_used
            index = used.setdefault((name, is_val), len(used))
            if not isnan(value):
                bucket.add(index, value)
            else:
                bucket.nans.add(index)
                has_nan = True
        if bucket is None:
            return
        if has_nan or self.gaps:
            self._count_gaps(row, shape)
        if shape.stage is not None and not is_missing(row[shape.stage]):
            bucket.stage = row[shape.stage]
        self._condense()

    def _is_another_run(self, row: Row) -> bool:
        """Whether a row begins anew: back at the first epoch, which it measures again."""
        shape = self._shape(row)
        if not self._rows:
            return False
        if self._epoch is None:
            step = None if shape.step is None else position(row[shape.step])
            return self._is_headed and (step is None or step <= (self._first_step or 0))
        epoch = self._told_epoch(row, shape)
        if epoch is None or self._first_epoch is None or epoch > self._first_epoch:
            return False
        if self._is_headed:
            return True
        bucket = self.buckets.get((int(epoch) - self._origin) // self._width)
        if epoch >= self._epoch or bucket is None:
            return False
        is_val = shape.is_validation(row)
        held = {at for at, count in enumerate(bucket.counts) if count} | bucket.nans
        return any(
            self.columns_used.get((name, is_val)) in held
            for name in shape.cells
            if not is_missing(row[name])
        )

    def _count_gaps(self, row: Row, shape: _RowShape) -> None:
        """Count what is NaN in a row; a row of one split says nothing about the other."""
        is_val = shape.is_validation(row)
        cells = []
        for name, place in shape.cells.items():
            value = None if is_missing(row[name]) else number(row[name])
            if value is not None and place != "run":
                cells.append((self.columns_used[name, is_val], is_val or place == "val", value))
        measured = {is_of_val for _, is_of_val, value in cells if not isnan(value)}
        for index, is_of_val, value in cells:
            if not isnan(value):
                self.gaps.close(index)
            elif is_of_val in measured or not measured:
                self.gaps.extend(index)

    def _key(self, row: Row, shape: _RowShape) -> int:
        """The bucket of a row."""
        return (self._unit(row, shape) - self._origin) // self._width

    def _unit(self, row: Row, shape: _RowShape) -> int:
        """The epoch of a row, or its step where the log has no epochs."""
        before = self._step
        told = None if shape.step is None else position(row[shape.step])
        if told is not None:
            self._step = int(told)
        elif shape.step is None and self._epoch is None:
            self._step += 1
        if self._epoch is not None:
            epoch = self._told_epoch(row, shape)
            if epoch is not None:
                self._has_rising_steps |= epoch == self._epoch and 0 <= before < self._step
                self._has_fractions |= not epoch.is_integer()
                self._epoch = epoch
                self._first_epoch = epoch if self._first_epoch is None else self._first_epoch
            elif shape.epoch is not None and not is_missing(row[shape.epoch]):
                self._notes.fault(f"Epoch {str(row[shape.epoch])[:30]!r}: taken for the last one.")
            return int(self._epoch)
        if self._first_step is None:
            self._first_step = self._step
            self._origin = 0 if self._steps_per_epoch else self._step
        if self._steps_per_epoch is None:
            return self._step
        # a log whose first step is not 0 counts finished steps
        return max(self._step - (self._first_step > 0), 0) // self._steps_per_epoch

    def _told_epoch(self, row: Row, shape: _RowShape) -> float | None:
        told = None if shape.epoch is None else position(row[shape.epoch])
        return told if told is not None and told <= LARGEST_EPOCH else None

    def _condense(self) -> None:
        """Double the width of the windows until there are few enough."""
        if self.counting != "windows":
            if len(self.buckets) <= MOST_EPOCHS:
                return
            self._notes.add(f"There are more than {MOST_EPOCHS} epochs: they are read as steps.")
            self.counting = "windows"
        while len(self.buckets) > MOST_WINDOWS:
            self._width *= 2
            halved: dict[int, Bucket] = {}
            for key in sorted(self.buckets):
                if key // 2 in halved:
                    halved[key // 2].merge(self.buckets[key])
                else:
                    halved[key // 2] = self.buckets[key]
            self.buckets = halved

    def _shape(self, row: Row) -> _RowShape:
        names = tuple(row)
        shape = self._shapes.get(names)
        if shape is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[names] = _RowShape(names, self._columns)
        return shape


class _RowShape:
    """What to do with the rows that have one set of columns."""

    __slots__ = ("cells", "epoch", "split", "stage", "step")

    def __init__(self, names: tuple[str, ...], columns: Columns) -> None:
        self.cells: dict[str, Place] = {}
        self.epoch: str | None = None
        self.step: str | None = None
        self.stage: str | None = None
        self.split: str | None = None
        known = [(name, held) for name in names if (held := columns.meaning(name)) is not None]
        for name, meaning in sorted(known, key=lambda pair: pair[1].rank):
            place = meaning.field.attribute
            if meaning.field.place != "position":
                self.cells[name] = meaning.field.place
            elif getattr(self, place) is None:
                setattr(self, place, name)

    def is_validation(self, row: Row) -> bool:
        """Whether a row says that it is validation."""
        return self.split is not None and _is_validation(row[self.split])


def _is_validation(value: Any) -> bool:
    word = str(value).strip().lower()
    return SPLIT_WORDS.get(word) == "val" or word == TEST_WORD


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
