"""A number with the ends that belong to it: an interval, or the lowest and the highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean


@dataclass(frozen=True)
class Estimate:
    """A number with its ends.

    Attributes:
        value: the number.
        low: lower end; None where it is not known, as of one image or one seed,
            which tell of no spread.
        high: upper end; None likewise.
        n: what was counted.
    """

    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def sign(self) -> int:
        """1 or -1 where both ends lie on that side of 0, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0.0) - int(self.high < 0.0)

    @property
    def includes_zero(self) -> bool:
        """Whether 0 lies between the ends or on one of them; false without ends."""
        return self.low is not None and self.high is not None and self.low <= 0.0 <= self.high

    @property
    def negated(self) -> Estimate:
        """The same of the opposite number, as a loss is of a gain."""
        low = None if self.high is None else -self.high
        return Estimate(-self.value, low, None if self.low is None else -self.low, self.n)


def spread(values: Sequence[float]) -> Estimate:
    """Mean, lowest and highest of at least one value."""
    return Estimate(mean(values), min(values), max(values), len(values))
