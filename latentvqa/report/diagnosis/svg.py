"""Charts as inline SVG, drawn without any plotting library.

Colours are CSS classes of the page, so that light and dark both read well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from latentvqa.core.figures import figure
from latentvqa.report.diagnosis.curves import LARGEST, Chart, Mark, StageSpan, free_row, starts

WIDTH, HEIGHT = 460, 256
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 18, 26
TICKS = 5
DASHES = ("", "6 3", "2 3", "8 3 2 3")  # curves differ without colour, too
BAR_STEP = 20  # height of a finding's row
CODE_LETTER, CODE_LINE = 6.6, 12  # width and height of a letter of a finding's code, roughly
REMARK = 7  # length of the line where a remark starts


def line_chart(
    chart: Chart,
    epochs: Sequence[int],
    stages: Sequence[StageSpan] = (),
    marks: Sequence[Mark] = (),
) -> str:
    """Draw one chart as an ``<svg>`` element that scales with its container."""
    return framed(chart.title, HEIGHT, line_chart_parts(chart, epochs, stages, marks))


def line_chart_parts(
    chart: Chart,
    epochs: Sequence[int],
    stages: Sequence[StageSpan] = (),
    marks: Sequence[Mark] = (),
) -> str:
    """Draw one chart.

    Args:
        chart: curves with one value per epoch.
        epochs: the epoch numbers.
        stages: shaded where they alternate.
        marks: findings; a line where one starts, short for a mere remark.

    Returns:
        Elements within ``WIDTH`` x ``HEIGHT``.
    """
    axis = _Axis(chart, epochs)
    parts = _ground(axis, stages, HEIGHT)
    if chart.band is not None:
        low, high, name = chart.band
        top, bottom = axis.y(high), axis.y(low)
        parts.append(_rectangle("band", LEFT, top, WIDTH - LEFT - RIGHT, bottom - top))
        parts.append(_text("mark", WIDTH - RIGHT - 3, bottom - 3, name, "end"))
    for value in axis.ticks:
        y = axis.y(value)
        parts.append(_line("grid", LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text("tick", LEFT - 5, y + 3.5, figure(value), "end"))
    taken: list[tuple[float, float, int]] = []
    for start in starts(marks):
        x = axis.x(start.epoch)
        end = TOP + REMARK if start.is_remark else HEIGHT - BOTTOM
        parts.append(_line(f"start {start.level}", x, TOP, x, end))
        if not start.is_remark:
            is_late = x > (LEFT + WIDTH) / 2
            at, anchor = (x - 3, "end") if is_late else (x + 3, "start")
            label = " ".join(start.codes)
            low = at - CODE_LETTER * len(label) if is_late else at
            row = free_row(taken, low, low + CODE_LETTER * len(label))
            parts.append(_text("mark", at, TOP + REMARK + 11 + CODE_LINE * row, label, anchor))
    for value, name in chart.lines:
        y = axis.y(value)
        parts.append(_line("mark-line", LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text("mark", WIDTH - RIGHT - 3, y - 3, name, "end"))
    for index, curve in enumerate(chart.curves):
        parts += _drawn(axis, curve.values, epochs, index)
    return "".join(parts)


def findings_chart(
    marks: Sequence[Mark], epochs: Sequence[int], stages: Sequence[StageSpan] = ()
) -> str:
    """Draw findings over the epochs as an ``<svg>`` element."""
    height = findings_height(marks)
    return framed("Findings over the epochs", height, findings_parts(marks, epochs, stages))


def findings_parts(
    marks: Sequence[Mark], epochs: Sequence[int], stages: Sequence[StageSpan] = ()
) -> str:
    """Draw one bar per finding, from its first to its last epoch.

    Returns:
        Elements within ``WIDTH`` x :func:`findings_height`.
    """
    axis = _Axis(Chart("", ()), epochs)
    parts = _ground(axis, stages, findings_height(marks))
    for row, mark in enumerate(marks):
        y = TOP + row * BAR_STEP + 2
        start, end = axis.x(mark.first - 0.5), axis.x(mark.last + 0.5)
        kind = f"bar {mark.level}" if mark.is_open else f"bar past {mark.level}"
        parts.append(_rectangle(kind, start, y, end - start, BAR_STEP - 4))
        x, anchor = _beside(start, CODE_LETTER * len(mark.label))
        parts.append(_text("bar-name", x, y + BAR_STEP - 8, mark.label, anchor))
    return "".join(parts)


def _beside(start: float, length: float) -> tuple[float, str]:
    """Where a bar's name stays within the picture: in the bar, before it, or at the edge."""
    if start + 4 + length <= WIDTH - RIGHT:
        return start + 4, "start"
    return (start - 4, "end") if start - 4 - length >= 0.0 else (WIDTH - RIGHT - 2, "end")


def findings_height(marks: Sequence[Mark]) -> int:
    """Height of the chart of findings."""
    return TOP + len(marks) * BAR_STEP + BOTTOM


def framed(title: str, height: int, content: str) -> str:
    """An ``<svg>`` element around elements within ``WIDTH`` x ``height``."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


def legend(chart: Chart) -> list[tuple[str, str]]:
    """The names of the curves, each with the dashes of its line."""
    return [(curve.label, DASHES[index % len(DASHES)]) for index, curve in enumerate(chart.curves)]


def _ground(axis: _Axis, stages: Sequence[StageSpan], height: int) -> list[str]:
    """Stages and the ticks of the epochs."""
    parts = []
    for index, span in enumerate(stages):
        start, end = axis.x(span.first - 0.5), axis.x(span.last + 0.5)
        if index % 2 == 1:
            parts.append(_rectangle("stage", start, TOP, end - start, height - TOP - BOTTOM))
        if len(stages) > 1 and end - start > 40:
            parts.append(_text("stage-name", start + 4, TOP - 6, span.stage, "start"))
    for epoch in axis.epoch_ticks:
        parts.append(_text("tick", axis.x(epoch), height - BOTTOM + 14, str(epoch), "middle"))
    return parts


class _Axis:
    """Maps epochs and values to picture coordinates."""

    def __init__(self, chart: Chart, epochs: Sequence[int]) -> None:
        values = [v for curve in chart.curves for v in curve.values if v is not None]
        self.is_logarithmic = chart.is_logarithmic and any(value > 0.0 for value in values)
        values += [value for value, _ in chart.lines]
        values += list(chart.band[:2]) if chart.band is not None else []
        values = [min(max(value, -LARGEST), LARGEST) for value in values] or [0.0]
        self.first, self.last = min(epochs) - 0.5, max(epochs) + 0.5
        step = max(1, math.ceil((max(epochs) - min(epochs) + 1) / 8))
        self.epoch_ticks = range(min(epochs), max(epochs) + 1, step)
        if self.is_logarithmic:
            positive = [value for value in values if value > 0.0]
            self.low = float(max(math.floor(math.log10(min(positive))), -3))
            self.high = max(float(math.ceil(math.log10(max(positive)))), self.low + 1.0)
            self.ticks = [10.0**power for power in range(int(self.low), int(self.high) + 1)]
        else:
            lowest, highest = min(0.0, *values), max(values)
            unit = _round_step((highest - lowest) / TICKS)
            self.low = math.floor(lowest / unit) * unit
            self.high = max(math.ceil(highest / unit) * unit, self.low + unit)
            count = round((self.high - self.low) / unit)
            self.ticks = [self.low + i * unit for i in range(count + 1)]

    def x(self, epoch: float) -> float:
        share = (epoch - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        if self.is_logarithmic:
            value = math.log10(max(value, 10.0**self.low))
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _round_step(width: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if width <= 1e-12:
        return 0.2
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= width * (1 - 1e-9))


def _drawn(
    axis: _Axis, values: Sequence[float | None], epochs: Sequence[int], index: int
) -> list[str]:
    """A curve with gaps where values are absent; a lone value is a dot."""
    runs: list[list[tuple[float, float]]] = [[]]
    for epoch, value in zip(epochs, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((axis.x(epoch), axis.y(value)))
    style = f'class="curve c{index}" stroke-dasharray="{DASHES[index % len(DASHES)]}"'
    parts = []
    for points in filter(None, runs):
        if len(points) == 1:
            x, y = points[0]
            parts.append(f'<circle class="dot c{index}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        else:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline {style} points="{path}"/>')
    return parts


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" '
        f'height="{max(height, 0.0):.1f}"/>'
    )


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
