"""Elements of inline SVG and the axes of a chart, drawn without any plotting library.

Colours are CSS classes of the page, so that light and dark both read well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from latentvqa.core.figures import figure
from latentvqa.report.diagnosis.curves import LARGEST, Chart

WIDTH, HEIGHT = 420, 244
LEFT, RIGHT, TOP, BOTTOM = 56, 10, 18, 38
TICKS = 5
LEAST_POWER = -6  # of ten, that a logarithmic axis begins with
NEAR_ZERO = 0.1  # up to where an axis with values of both signs is nearly linear


class Axis:
    """Maps epochs and values to picture coordinates.

    A logarithmic axis whose values are not all positive shows them, too: it is
    linear around 0 and logarithmic on both sides.

    Args:
        chart: its curves, lines and band are what must fit.
        epochs: the epoch numbers.
    """

    def __init__(self, chart: Chart, epochs: Sequence[int]) -> None:
        shown = [v for curve in chart.curves for v in curve.values if v is not None]
        values = [*shown, *(value for value, _ in chart.lines)]
        values += list(chart.band[:2]) if chart.band is not None else []
        values = [min(max(value, -LARGEST), LARGEST) for value in values] or [0.0]
        self.first, self.last = min(epochs) - 0.5, max(epochs) + 0.5
        step = max(1, math.ceil((max(epochs) - min(epochs) + 1) / 8))
        self.epoch_ticks = range(min(epochs), max(epochs) + 1, step)
        is_logarithmic = chart.is_logarithmic and any(value > 0.0 for value in values)
        self.is_signed = is_logarithmic and min(values) <= 0.0
        self.is_logarithmic = is_logarithmic and not self.is_signed
        if self.is_signed:
            self.ticks = _signed_ticks(min(values), max(values))
        elif self.is_logarithmic:
            low = max(math.floor(math.log10(min(values))), LEAST_POWER)
            high = max(math.ceil(math.log10(max(values))), low + 1)
            step = math.ceil((high - low) / 7)
            self.ticks = [10.0**power for power in range(low, high + 1, step)]
            if self.ticks[-1] < max(values):
                self.ticks.append(10.0**high)
        else:
            lowest, highest = min(0.0, *values), max(values)
            unit = _round_step((highest - lowest) / TICKS)
            low, high = math.floor(lowest / unit), math.ceil(highest / unit)
            self.ticks = [unit * count for count in range(low, max(high, low + 1) + 1)]
        self.low, self.high = self._scaled(self.ticks[0]), self._scaled(self.ticks[-1])

    @property
    def scale_name(self) -> str:
        """What is to be said of the scale beside the unit; empty for a linear one."""
        if self.is_signed:
            return "log scale, linear near 0"
        return "log scale" if self.is_logarithmic else ""

    def x(self, epoch: float) -> float:
        """Where an epoch stands."""
        share = (epoch - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value stands; one that the axis does not reach, at its edge."""
        scaled = self._scaled(min(max(value, -LARGEST), LARGEST))
        share = (min(max(scaled, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def _scaled(self, value: float) -> float:
        if self.is_signed:
            return math.copysign(math.log10(1.0 + abs(value) / NEAR_ZERO), value)
        return math.log10(max(value, 1e-300)) if self.is_logarithmic else value


def framed(title: str, height: float, content: str, width: float = WIDTH) -> str:
    """An ``<svg>`` element around elements within ``width`` x ``height``."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line with a class."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def rectangle(kind: str, x: float, y: float, width: float, height: float, told: str = "") -> str:
    """A rectangle with a class, and what is told where a pointer rests on it."""
    shape = (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" '
        f'height="{max(height, 0.0):.1f}"'
    )
    return f"{shape}><title>{escape(told)}</title></rect>" if told else f"{shape}/>"


def circle(kind: str, x: float, y: float, radius: float, told: str = "") -> str:
    """A disc with a class, and what is told where a pointer rests on it."""
    shape = f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
    return f"{shape}><title>{escape(told)}</title></circle>" if told else f"{shape}/>"


def text(kind: str, x: float, y: float, content: str, anchor: str = "start") -> str:
    """A text with a class; its content is escaped."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def upward(kind: str, x: float, y: float, content: str) -> str:
    """A text that reads upward, its middle at a point."""
    return (
        f'<text class="{kind}" text-anchor="middle" transform="translate({x:.1f} {y:.1f}) '
        f'rotate(-90)">{escape(content)}</text>'
    )


def value_axis(axis: Axis, unit: str) -> list[str]:
    """Lines and numbers of the values, and their unit."""
    parts = []
    for value in axis.ticks:
        y = axis.y(value)
        kind = "grid zero" if value == 0.0 else "grid"
        parts.append(line(kind, LEFT, y, WIDTH - RIGHT, y))
        parts.append(text("tick", LEFT - 6, y + 3.5, figure(value), "end"))
    label = ", ".join(filter(None, (unit, axis.scale_name)))
    parts.append(upward("label", 11, (TOP + HEIGHT - BOTTOM) / 2, label))
    return parts


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
