"""Windows of steps inside epochs, for a run of so few epochs that their means hide its course."""

from __future__ import annotations

from latentvqa.logs.epochs.buckets import Bucket

FEW_EPOCHS = 3  # up to so many epochs are read as windows of their steps
FEWEST_STEPS = 3  # of a run of one epoch
MANY_STEPS = 20  # of each epoch where there are two or three

_SHIFT = 60  # bits for the place inside an epoch; an epoch stands above them
_MASK = (1 << _SHIFT) - 1


def condensed(buckets: dict[int, Bucket]) -> dict[int, Bucket]:
    """Two neighbouring windows become one."""
    halved: dict[int, Bucket] = {}
    for key in sorted(buckets):
        place = key & ~_MASK | (key & _MASK) >> 1 if key >= 0 else key // 2
        if place in halved:
            halved[place].merge(buckets[key])
        else:
            halved[place] = buckets[key]
    return halved


class FineWindows:
    """The windows of the first few epochs, merged into epochs as soon as there are more.

    Args:
        most: windows that are kept; the width doubles beyond.
    """

    def __init__(self, most: int) -> None:
        self.buckets: dict[int, Bucket] = {}
        self._epochs: set[int] = set()
        self._most = most
        self._width = 1

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return len(self._epochs)

    def is_new(self, epoch: int) -> bool:
        """Whether an epoch is met for the first time."""
        return epoch not in self._epochs

    def key(self, epoch: int, place: int) -> int:
        """The window of a place, a step or a row, in an epoch."""
        self._epochs.add(epoch)
        return epoch << _SHIFT | min(place, _MASK) // self._width

    def condense(self) -> None:
        """Double the width of the windows until there are few enough."""
        while len(self.buckets) > self._most:
            self._width *= 2
            before = len(self.buckets)
            self.buckets = condensed(self.buckets)
            if len(self.buckets) == before and self._width > _MASK:
                return

    def held_in(self, epoch: int) -> set[int]:
        """Columns that were measured in an epoch."""
        return {at for key, b in self.buckets.items() if key >> _SHIFT == epoch for at in b.held()}

    def by_epoch(self) -> dict[int, Bucket]:
        """The windows of each epoch merged; they are kept themselves."""
        merged: dict[int, Bucket] = {}
        for key in sorted(self.buckets):
            merged.setdefault(key >> _SHIFT, Bucket()).merge(self.buckets[key])
        return merged

    def in_order(self) -> dict[int, Bucket]:
        """The windows, numbered from 0."""
        return dict(enumerate(self.buckets[key] for key in sorted(self.buckets)))

    def are_needed(self, rows: int) -> bool:
        """Whether epochs with so many rows at most would hide the course of the run."""
        return rows >= (FEWEST_STEPS if self.epochs == 1 else MANY_STEPS)
