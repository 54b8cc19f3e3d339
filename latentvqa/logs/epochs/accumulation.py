"""Rows of a log, added up per epoch or per window of steps, one at a time.

Keeps sums, counts and last values, so that a log of any length fits. Does not
decide what a column means.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from math import ceil, isnan
from typing import Literal

from latentvqa.core.figures import counted
from latentvqa.logs.columns.fields import Key, Split
from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.epochs.buckets import Bucket, RowShape
from latentvqa.logs.epochs.nan_gaps import NaNGaps
from latentvqa.logs.epochs.precision import ROWS_LOOKED_AT, Precision
from latentvqa.logs.epochs.sweeps import run_column
from latentvqa.logs.epochs.windows import FEW_EPOCHS, FineWindows, condensed
from latentvqa.logs.notes import Notes
from latentvqa.logs.numbers import is_missing, number
from latentvqa.logs.readers.rows import HEADING, Row

Counting = Literal["epochs", "steps", "windows"]

MOST_WINDOWS = 200
MOST_EPOCHS = 10_000  # more distinct epochs than this are no epochs
ROWS_BEFORE_DECIDING = 1000
FEWEST_NUMBERED = 2  # rows with a number that make a log, whatever its columns are
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
        columns_used: column and split of its row, in the order of the indices.
        is_running: whether rows hold means of their epoch so far, as progress bars do.
        has_few_epochs: whether the windows are those of a log that names its epochs.
        has_numbers: whether several of the first rows hold a number at all.
        run_column: the column that names another run in every row, if there is one.
        precision: how finely the columns are printed.
        gaps: how long each column has been NaN at the end.
    """

    def __init__(self, columns: Columns, notes: Notes, steps_per_epoch: int | None) -> None:
        self.counting: Counting = "epochs"
        self.is_running = self.has_few_epochs = self.has_numbers = False
        self.run_column: str | None = None
        self.precision = Precision()
        self._columns = columns
        self._notes = notes
        self._steps_per_epoch = steps_per_epoch
        self._shapes: dict[tuple[str, ...], RowShape] = {}
        self._epoch: float | None = None
        self._has_fractions = self._says_ends = False
        self._rows_left_out = 0
        self._begin()

    def _begin(self) -> None:
        """Forget the rows so far."""
        self.buckets: dict[int, Bucket] = {}
        self.columns_used: dict[Key, int] = {}
        self.gaps = NaNGaps()
        self._fine = FineWindows(MOST_WINDOWS) if self._epoch is not None else None
        self._width = 1
        self._origin = 0
        self._first_epoch: float | None = None
        self._first_step: int | None = None
        self._step = -1
        self._rows = 0
        self._has_rising_steps = self._is_headed = False

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add the rows; the first thousand decide whether they name their epochs."""
        stream = iter(rows)
        first = list(islice(stream, ROWS_BEFORE_DECIDING))
        shapes = [self._shape(row) for row in first]
        said = [shape.epoch_of(row) for row, shape in zip(first, shapes, strict=True)]
        known = [epoch for epoch in said if epoch is not None]
        self._has_fractions = any(not epoch.is_integer() for epoch in known)
        self._says_ends = self._has_fractions and 0.0 not in known
        self._epoch = known[0] if known else None
        if self._epoch is None:
            self.counting = "windows" if self._steps_per_epoch is None else "steps"
        is_placed = self._epoch is not None or any(shape.step is not None for shape in shapes)
        self.run_column = run_column(first, self._columns, is_placed=is_placed)
        numbered = (True for row, shape in zip(first, shapes, strict=True) if shape.measures(row))
        self.has_numbers = len(list(islice(numbered, FEWEST_NUMBERED))) == FEWEST_NUMBERED
        self._begin()
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
        self._finish()
        if self._rows_left_out:
            self._notes.add(
                "The log holds several runs, one after the other: the last one is read, "
                f"and {counted(self._rows_left_out, 'row')} before it left out."
            )

    @property
    def is_stepwise(self) -> bool:
        """Steps that rise inside an epoch, fractions, or epochs that mostly repeat."""
        if self.counting != "epochs":
            return True
        if self.is_running:
            return False
        if self._has_fractions or self._has_rising_steps:
            return True
        repeated = sum(max(b.counts, default=0) > 1 for b in self.buckets.values())
        return repeated * 2 > len(self.buckets)

    def _add(self, row: Row) -> None:
        shape = self._shape(row)
        self.is_running |= shape.is_running
        split = shape.split_of(row)
        key = self._key(row, shape, split)
        buckets = self.buckets if self._fine is None else self._fine.buckets
        bucket = buckets.get(key)
        is_looked_at = self._rows < ROWS_LOOKED_AT
        has_nan = False
        for name in shape.cells:
            value = row[name]
            if is_looked_at:
                self.precision.add(name, value)
            if value.__class__ is not float:
                if is_missing(value):
                    continue
                read = number(value)
                if read is None:
                    self._notes.fault(f"Column {name} holds {str(value)[:30]!r}, not a number.")
                    continue
                value = read
            if bucket is None:
                bucket = buckets[key] = Bucket()
            used = self.columns_used
            index = used.setdefault((name, split), len(used))
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
        if not self._rows:
            return False
        shape = self._shape(row)
        if self._epoch is None:
            step = shape.step_of(row)
            return self._is_headed and (step is None or step <= (self._first_step or 0))
        epoch = shape.epoch_of(row)
        if epoch is None or self._first_epoch is None or epoch > self._first_epoch:
            return False
        if self._is_headed:
            return True
        if epoch >= self._epoch:
            return False
        held = self._held_in(self._epoch_number(epoch))
        split = shape.split_of(row)
        return any(
            self.columns_used.get((name, split)) in held
            for name in shape.cells
            if not is_missing(row[name])
        )

    def _held_in(self, epoch: int) -> set[int]:
        if self._fine is not None:
            return self._fine.held_in(epoch)
        bucket = self.buckets.get((epoch - self._origin) // self._width)
        return set() if bucket is None else bucket.held()

    def _count_gaps(self, row: Row, shape: RowShape) -> None:
        """Count what is NaN in a row; a row of one split says nothing about the other."""
        split = shape.split_of(row)
        cells = []
        for name, place in shape.cells.items():
            value = None if is_missing(row[name]) else number(row[name])
            if value is not None and place != "run":
                is_of_val = bool(split) or place == "val"
                cells.append((self.columns_used[name, split], is_of_val, value))
        measured = {is_of_val for _, is_of_val, value in cells if not isnan(value)}
        for index, is_of_val, value in cells:
            if not isnan(value):
                self.gaps.close(index)
            elif is_of_val in measured or not measured:
                self.gaps.extend(index)

    def _key(self, row: Row, shape: RowShape, split: Split) -> int:
        """The bucket of a row."""
        unit = self._unit(row, shape, split)
        if self._fine is None:
            return (unit - self._origin) // self._width
        if self._fine.is_new(unit) and self._fine.epochs >= FEW_EPOCHS:
            self.buckets = self._fine.by_epoch()
            self._fine = None
            return unit
        return self._fine.key(unit, self._step if self._step >= 0 else self._rows)

    def _unit(self, row: Row, shape: RowShape, split: Split) -> int:
        """The epoch of a row, or its step where the log has no epochs."""
        before = self._step
        place = shape.step_of(row)
        if place is not None:
            self._step = int(place)
        elif shape.step is None and self._epoch is None and self._is_measured_again(shape, split):
            self._step += 1
        if self._epoch is not None:
            epoch = shape.epoch_of(row)
            if epoch is not None:
                self._has_rising_steps |= epoch == self._epoch and 0 <= before < self._step
                self._epoch = epoch
                self._first_epoch = epoch if self._first_epoch is None else self._first_epoch
            elif shape.epoch is not None and not is_missing(row[shape.epoch]):
                self._notes.fault(f"Epoch {str(row[shape.epoch])[:30]!r}: taken for the last one.")
            return self._epoch_number(self._epoch)
        if self._first_step is None:
            self._first_step = self._step
            self._origin = 0 if self._steps_per_epoch else self._step
        if self._steps_per_epoch is None:
            return self._step
        # a log whose first step is not 0 counts finished steps
        return max(self._step - (self._first_step > 0), 0) // self._steps_per_epoch

    def _is_measured_again(self, shape: RowShape, split: Split) -> bool:
        """Whether a row without any place begins the next step: its columns come again."""
        if self._step < 0 or self._width > 1 or self._steps_per_epoch is not None:
            return True
        bucket = self.buckets.get(self._step - self._origin)
        if bucket is None:
            return True
        held = bucket.held()
        used = self.columns_used
        return not shape.cells or any(used.get((name, split)) in held for name in shape.cells)

    def _epoch_number(self, epoch: float) -> int:
        """The epoch of a position; among fractions above 0, 1.0 is the end of epoch 0."""
        return max(ceil(epoch) - 1, 0) if self._says_ends else int(epoch)

    def _condense(self) -> None:
        """Double the width of the windows until there are few enough."""
        if self._fine is not None:
            self._fine.condense()
            return
        if self.counting != "windows":
            if len(self.buckets) <= MOST_EPOCHS:
                return
            self._notes.add(f"There are more than {MOST_EPOCHS} epochs: they are read as steps.")
            self.counting = "windows"
        while len(self.buckets) > MOST_WINDOWS:
            self._width *= 2
            self.buckets = condensed(self.buckets)

    def _finish(self) -> None:
        """Decide whether few epochs of many steps are read as windows."""
        if self._fine is None:
            return
        fine, self._fine = self._fine, None
        self.buckets = fine.by_epoch()
        if self.is_stepwise or (self.is_running and fine.epochs == 1):
            rows = max((max(b.counts, default=0) for b in self.buckets.values()), default=0)
            if fine.are_needed(rows):
                self.buckets = fine.in_order()
                self.counting = "windows"
                self.has_few_epochs = True

    def _shape(self, row: Row) -> RowShape:
        names = tuple(row)
        shape = self._shapes.get(names)
        if shape is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[names] = RowShape(names, self._columns)
        return shape
