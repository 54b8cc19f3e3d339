"""Elements of inline SVG and the axes of a chart, drawn without any plotting library.

Colours are CSS classes of the page, so that light and dark both read well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from latentvqa.core.figures import figure
from latentvqa.report.diagnosis.curves import Chart
from latentvqa.report.diagnosis.value_scale import ValueScale

WIDTH, HEIGHT = 420, 244
LEFT, RIGHT, TOP, BOTTOM = 72, 10, 18, 38


class Axis:
    """Maps epochs and values to picture coordinates.

    Args:
        chart: its curves, lines and band are what must fit.
        epochs: the epoch numbers.

    Attributes:
        values: how values are laid along it.
    """

    def __init__(self, chart: Chart, epochs: Sequence[int]) -> None:
        self.values = ValueScale(chart)
        self.first, self.last = min(epochs) - 0.5, max(epochs) + 0.5
        step = max(1, math.ceil((max(epochs) - min(epochs) + 1) / 8))
        self.epoch_ticks = range(min(epochs), max(epochs) + 1, step)

    def x(self, epoch: float) -> float:
        """Where an epoch stands."""
        share = (epoch - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value stands; one that the axis does not reach, at its edge."""
        low, high = self.values.low, self.values.high
        share = (self.values.place(value) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


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
    for value in axis.values.ticks:
        y = axis.y(value)
        kind = "grid zero" if value == 0.0 else "grid"
        parts.append(line(kind, LEFT, y, WIDTH - RIGHT, y))
        parts.append(text("tick", LEFT - 6, y + 3.5, figure(value), "end"))
    parts.append(upward("label", 11, (TOP + HEIGHT - BOTTOM) / 2, axis.values.label(unit)))
    return parts
