"""How the values of a chart are laid along its axis: the same for the page and the picture file."""

from __future__ import annotations

import math

from latentvqa.report.diagnosis.curves import LARGEST, Chart

TICKS = 5
LEAST_POWER = -6  # of ten, that a logarithmic axis begins with
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # that an axis of percent names
NEAR_ZERO = 0.1  # up to where an axis with values of both signs is nearly linear


class ValueScale:
    """Maps the values of a chart to an even scale, and says where its ticks are.

    A logarithmic axis whose values are not all positive shows them, too: it is
    linear around 0 and logarithmic on both sides.

    Args:
        chart: its curves, lines and band are what must fit.

    Attributes:
        ticks: values that are named, rising; the first and the last bound the axis.
        low: where the first of them lies.
        high: where the last of them lies.
        is_signed: whether it is logarithmic on both sides of 0.
        is_logarithmic: whether it is logarithmic and all values are positive.
    """

    def __init__(self, chart: Chart) -> None:
        shown = [v for curve in chart.curves for v in curve.values if v is not None]
        values = [*shown, *(value for value, _ in chart.lines)]
        values += list(chart.band[:2]) if chart.band is not None else []
        values = [min(max(value, -LARGEST), LARGEST) for value in values] or [0.0]
        is_logarithmic = chart.is_logarithmic and any(value > 0.0 for value in values)
        self.is_signed = is_logarithmic and min(values) <= 0.0
        self.is_logarithmic = is_logarithmic and not self.is_signed
        if self.is_signed:
            self.ticks = _signed_ticks(min(values), max(values))
        elif self.is_logarithmic:
            self.ticks = _powers(min(values), max(values))
        else:
            self.ticks = even_ticks(min(0.0, *values), max(values))
        self.low, self.high = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])

    @property
    def name(self) -> str:
        """What is to be said of it beside the unit; empty for a linear one."""
        if self.is_signed:
            return "log scale, linear near 0"
        return "log scale" if self.is_logarithmic else ""

    def place(self, value: float) -> float:
        """Where a value lies between ``low`` and ``high``; one beyond, at that end."""
        scaled = self._scaled(min(max(value, -LARGEST), LARGEST))
        return min(max(scaled, self.low), self.high)

    def label(self, unit: str) -> str:
        """What stands beside the axis."""
        return ", ".join(filter(None, (unit, self.name)))

    def _scaled(self, value: float) -> float:
        if self.is_signed:
            return math.copysign(math.log10(1.0 + abs(value) / NEAR_ZERO), value)
        return math.log10(max(value, 1e-300)) if self.is_logarithmic else value


def even_ticks(lowest: float, highest: float) -> list[float]:
    """Round numbers of even steps that hold two values between them."""
    unit = _round_step((highest - lowest) / TICKS)
    low, high = math.floor(lowest / unit), math.ceil(highest / unit)
    return [unit * count for count in range(low, max(high, low + 1) + 1)]


def _powers(lowest: float, highest: float) -> list[float]:
    """Powers of ten that hold two positive values between them, a few of them if there are many."""
    low = max(math.floor(math.log10(lowest)), LEAST_POWER)
    high = max(math.ceil(math.log10(highest)), low + 1)
    step = math.ceil((high - low) / 7)
    ticks = [10.0**power for power in range(low, high + 1, step)]
    return ticks if ticks[-1] >= highest else [*ticks, 10.0**high]


def _signed_ticks(lowest: float, highest: float) -> list[float]:
    """0 and powers of ten on both sides, as far as the values reach."""

    def powers(reach: float) -> list[float]:
        if reach <= 0.0:
            return []
        last = max(math.ceil(math.log10(reach)), 0)
        step = math.ceil((last + 1) / 4)
        found = [10.0**power for power in range(0, last + 1, step)]
        return found if found[-1] >= reach else [*found, 10.0**last]

    return [*(-power for power in reversed(powers(-lowest))), 0.0, *powers(highest)]


def _round_step(width: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if width <= 1e-12:
        return 0.2
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= width * (1 - 1e-9))
