"""Curves over the epochs: each epoch tells its values where a pointer rests on it.

Without a script: what is told of an epoch lies hidden in the picture, and the style
sheet shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from latentvqa.core.figures import figure
from latentvqa.report.diagnosis.curves import DASHES, Chart, Mark, StageSpan, starts
from latentvqa.report.page.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    circle,
    framed,
    line,
    rectangle,
    text,
    value_axis,
)

COLOURS = 8
BAR_STEP, BAR_HEIGHT = 28, 6  # of a finding's row, and of its bar
LETTER, TOLD_LINE = 6.4, 15  # width of a letter and height of a line, roughly
MOST_TOLD = 120  # epochs of a chart that tell their values


@dataclass(frozen=True)
class CurveStyle:
    """Colour and dashes of a curve.

    Attributes:
        colour: number of the colour.
        dashes: as SVG writes them; empty for a whole line.
    """

    colour: int
    dashes: str = ""


def own_styles(count: int) -> list[CurveStyle]:
    """One colour and one kind of dashes for each curve."""
    return [CurveStyle(index % COLOURS, DASHES[index % len(DASHES)]) for index in range(count)]


def line_chart(
    chart: Chart,
    epochs: Sequence[int],
    stages: Sequence[StageSpan] = (),
    marks: Sequence[Mark] = (),
    styles: Sequence[CurveStyle] | None = None,
) -> str:
    """Draw one chart as an ``<svg>`` element that scales with its container.

    Args:
        chart: curves with one value per epoch.
        epochs: the epoch numbers.
        stages: shaded where they alternate.
        marks: findings; a mark below the axis where one starts.
        styles: one per curve; by default all differ.
    """
    axis = Axis(chart, epochs)
    known = list(styles) if styles is not None else own_styles(len(chart.curves))
    parts = _ground(axis, stages, HEIGHT)
    if chart.band is not None:
        top, bottom = axis.y(chart.band[1]), axis.y(chart.band[0])
        parts.append(rectangle("band", LEFT, top, WIDTH - LEFT - RIGHT, bottom - top))
    parts += value_axis(axis, chart.unit)
    for value, _ in chart.lines:
        parts.append(line("mark-line", LEFT, axis.y(value), WIDTH - RIGHT, axis.y(value)))
    for curve, style in zip(chart.curves, known, strict=True):
        parts += _drawn(axis, curve.values, epochs, style)
    parts += _starts(axis, marks)
    parts += _told(axis, chart, epochs, known)
    return framed(chart.title, HEIGHT, "".join(parts))


def findings_chart(
    marks: Sequence[Mark], epochs: Sequence[int], stages: Sequence[StageSpan] = ()
) -> str:
    """Draw one bar per finding, its name above it, as an ``<svg>`` element.

    A bar reaches from the first to the last epoch of its finding.
    """
    axis, height = Axis(Chart("", ()), epochs), findings_height(marks)
    parts = _ground(axis, stages, height)
    for row, mark in enumerate(marks):
        y = TOP + row * BAR_STEP + 16
        start, end = axis.x(mark.first - 0.5), axis.x(mark.last + 0.5)
        kind = f"finding-bar {mark.level}{'' if mark.is_open else ' past'}"
        told = f"{mark.label}: epochs {mark.first} to {mark.last}"
        parts.append(rectangle(kind, start, y, end - start, BAR_HEIGHT, told))
        x, anchor = _above(start, LETTER * len(mark.label))
        parts.append(text("bar-name", x, y - 4, mark.label, anchor))
    return framed("Findings over the epochs", height, "".join(parts))


def findings_height(marks: Sequence[Mark]) -> int:
    """Height of the chart of findings."""
    return TOP + len(marks) * BAR_STEP + BOTTOM


@dataclass(frozen=True)
class LegendEntry:
    """A name of what a chart shows.

    Attributes:
        label: the name.
        kind: ``curve``, ``line`` or ``band``.
        style: of a curve.
    """

    label: str
    kind: str = "curve"
    style: CurveStyle | None = None


def legend(chart: Chart) -> list[LegendEntry]:
    """The names of the curves, each with the style of its line; then lines and the band."""
    styles = own_styles(len(chart.curves))
    named = [
        LegendEntry(curve.label, style=style)
        for curve, style in zip(chart.curves, styles, strict=True)
    ]
    named += [LegendEntry(name, "line") for _, name in chart.lines]
    return named if chart.band is None else [*named, LegendEntry(chart.band[2], "band")]


def _above(start: float, length: float) -> tuple[float, str]:
    """Where a bar's name stays within the picture: from the bar's start, else up to the edge."""
    if start + length <= WIDTH - RIGHT:
        return start, "start"
    return WIDTH - RIGHT, "end"


def _ground(axis: Axis, stages: Sequence[StageSpan], height: int) -> list[str]:
    """Stages and the axis of the epochs."""
    parts = []
    for index, span in enumerate(stages):
        start, end = axis.x(span.first - 0.5), axis.x(span.last + 0.5)
        if index % 2 == 1:
            parts.append(rectangle("stage", start, TOP, end - start, height - TOP - BOTTOM))
        if len(stages) > 1 and end - start > 40:
            parts.append(text("stage-name", start + 4, TOP - 6, span.stage, "start"))
    for epoch in axis.epoch_ticks:
        parts.append(text("tick", axis.x(epoch), height - BOTTOM + 19, str(epoch), "middle"))
    parts.append(text("label", (LEFT + WIDTH - RIGHT) / 2, height - 5, "epoch", "middle"))
    return parts


def _starts(axis: Axis, marks: Sequence[Mark]) -> list[str]:
    """Triangles below the axis, where findings start; they tell which."""
    parts, y = [], HEIGHT - BOTTOM
    for start in starts(marks):
        x = axis.x(start.epoch)
        told = "\n".join(
            f"{mark.label}, from epoch {mark.first}" for mark in marks if mark.first == start.epoch
        )
        shape = f'<path class="start {start.level}" d="M{x:.1f} {y}l4 6h-8z"/>'
        # a wider place for the pointer, which nobody sees
        parts.append(f"<g>{shape}{rectangle('hit', x - 6, y, 12, 9, told)}</g>")
    return parts


def _drawn(
    axis: Axis, values: Sequence[float | None], epochs: Sequence[int], style: CurveStyle
) -> list[str]:
    """A curve with gaps where values are absent; a lone value is a dot."""
    runs: list[list[tuple[float, float]]] = [[]]
    for epoch, value in zip(epochs, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((axis.x(epoch), axis.y(value)))
    dashes = f' stroke-dasharray="{style.dashes}"' if style.dashes else ""
    parts = []
    for points in filter(None, runs):
        if len(points) == 1:
            parts.append(circle(f"dot c{style.colour}", *points[0], 3))
        else:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="curve c{style.colour}"{dashes} points="{path}"/>')
    return parts


def _told(
    axis: Axis, chart: Chart, epochs: Sequence[int], styles: Sequence[CurveStyle]
) -> list[str]:
    """For each epoch a strip for the pointer, and what it shows there."""
    step = max(1, -(-len(epochs) // MOST_TOLD))
    places = [*range(0, len(epochs) - 1, step), len(epochs) - 1]
    middles = [axis.x(epochs[place]) for place in places]
    edges = [(low + high) / 2 for low, high in pairwise(middles)]
    edges = [float(LEFT), *edges, float(WIDTH - RIGHT)]
    parts = []
    for number, place in enumerate(places):
        low, high = edges[number], edges[number + 1]
        strip = rectangle("hit", low, TOP, high - low, HEIGHT - TOP - BOTTOM)
        shown = [
            (curve.label, curve.values[place], style)
            for curve, style in zip(chart.curves, styles, strict=True)
            if curve.values[place] is not None
        ]
        parts.append(f'<g class="at">{strip}{_box(axis, epochs[place], shown)}</g>')
    return parts


def _box(axis: Axis, epoch: int, shown: Sequence[tuple[str, float | None, CurveStyle]]) -> str:
    """The epoch's line, its dots, and a box with its values beside them."""
    x = axis.x(epoch)
    parts = [line("here", x, TOP, x, HEIGHT - BOTTOM)]
    rows = [(label, figure(value)) for label, value, _ in shown]
    width = 24 + LETTER * max([len(f"{a} {b}") for a, b in rows] + [len(f"epoch {epoch}")])
    height = TOLD_LINE * (len(rows) + 1) + 8
    left = x + 8 if x < (LEFT + WIDTH) / 2 else x - 8 - width
    left = min(max(left, 2.0), WIDTH - 2 - width)
    for _, value, style in shown:
        if value is not None:
            parts.append(circle(f"dot c{style.colour}", x, axis.y(value), 3.5))
    parts.append(rectangle("box", left, TOP + 2, width, height))
    parts.append(text("told", left + 8, TOP + 16, f"epoch {epoch}"))
    for row, ((label, value_text), (_, _, style)) in enumerate(zip(rows, shown, strict=True), 1):
        y = TOP + 16 + TOLD_LINE * row
        parts.append(circle(f"dot c{style.colour}", left + 11, y - 4, 3))
        parts.append(text("told-name", left + 18, y, label))
        parts.append(text("told", left + width - 7, y, value_text, "end"))
    return f'<g class="tip">{"".join(parts)}</g>'
