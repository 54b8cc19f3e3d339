"""How long a training still takes, from what its epochs took so far."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median

_EPOCHS = 3  # that the next ones are taken to be like


class TimeLeft:
    """Seconds to the end of a training, evaluation of the best checkpoint left out.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._epochs = 0
        self._start: float | None = None
        self._begun = 0.0  # share of the epoch that was done when it was first seen
        self._took: deque[float] = deque(maxlen=_EPOCHS)

    def plan(self, epochs: int) -> None:
        """Begin a training of so many epochs."""
        self._epochs = epochs
        self._start = None
        self._took.clear()

    def epoch_done(self, seconds: float) -> None:
        """An epoch took so long, validation included."""
        self._took.append(seconds)
        self._start = None

    def seconds(self, epoch: int, share: float) -> float | None:
        """Seconds left; None where nothing can be said yet.

        Args:
            epoch: 0-based number of the epoch at work.
            share: of its batches that are done, 0 to 1.
        """
        if self._start is None:
            self._start, self._begun = self._clock(), share
        if self._took:
            whole = median(self._took)
        elif share > self._begun:
            whole = (self._clock() - self._start) / (share - self._begun)
        else:
            return None
        return max(0.0, whole * (self._epochs - epoch - share))


def short_duration(seconds: float) -> str:
    """Seconds as a clock shows them: ``0:42``, ``12:05``, ``3:07:12``, ``2 d 03:07``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
