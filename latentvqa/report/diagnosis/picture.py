"""A run's curves and findings as one picture file, SVG and PNG alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from latentvqa.core.figures import figure as figure_text
from latentvqa.report.diagnosis.curves import (
    DASHES,
    Chart,
    Mark,
    StageSpan,
    Start,
    charts,
    finding_marks,
    free_row,
    stage_spans,
    starts,
)
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.value_scale import ValueScale
from latentvqa.report.picture import png_of, show_plainly, svg_of
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = tuple(LIGHT[name] for name in ("c0", "c1", "c2", "c3"))
LINE_WIDTH = 1.8
# of pixels for a line of two, as factors of its width
LINE_STYLES = [
    (0, tuple(float(part) / 2 for part in dashes.split())) if dashes else "-" for dashes in DASHES
]
COLUMNS = 2
CHART_INCHES = (5.2, 3.1)
TITLE_INCHES = 0.4
PAD_INCHES = 0.1  # above and below a chart
FINDING_INCHES = 0.22  # height of a finding's bar
FRAME_INCHES = 1.05  # height of what surrounds the bars
AXIS_INCHES = 0.45  # of it below them
GAP_INCHES = 0.15  # beside names and bars
PIXELS_PER_INCH = 110
MOST_LETTERS = 90  # of a run's name

LETTER_SHARE = 0.017  # of the axis' width that a letter of a code takes, roughly
LEGEND_INCHES = 0.42  # below the axis
LEGEND_LETTERS = 74  # that a legend's line has room for
SAMPLE_LETTERS = 8  # what the piece of a curve takes beside its name
MOST_CODES = 3  # that stand beside one line; the bars name all
CARET, CARET_SIZE = 6, 5  # a triangle whose tip lies at its place
NAMED = 0.12  # share of the epochs from which on a stage has room for its name
ROW_SHARE = 0.07  # kept free for each line of codes


def curves_png(run: JudgedRun) -> bytes:
    """Draw a run's curves and its findings as a PNG picture.

    Args:
        run: the run; one epoch is enough.

    Returns:
        The content of the file.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    return png_of(curves_figure(run))


def curves_svg(run: JudgedRun) -> bytes:
    """Draw a run's curves and its findings as an SVG picture, texts as texts.

    Args:
        run: the run; one epoch is enough.

    Returns:
        The content of the file, the same for the same run.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    return svg_of(curves_figure(run))


def curves_figure(run: JudgedRun) -> Figure:
    """The figure that both pictures show: charts side by side, the findings below.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    records = run.history.records
    drawn = charts(run.history.header, records, run.thresholds)
    if not drawn:
        raise ValueError("the records hold nothing to draw")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    marks = finding_marks(run.diagnosis)
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    width = CHART_INCHES[0] * COLUMNS
    below = FRAME_INCHES + FINDING_INCHES * len(marks) if marks else 0.0
    height = CHART_INCHES[1] * math.ceil(len(drawn) / COLUMNS) + TITLE_INCHES + below
    area = (0.0, below / height, 1.0, 1.0 - below / height)
    layout = ConstrainedLayoutEngine(rect=area, h_pad=PAD_INCHES)
    figure = Figure(figsize=(width, height), dpi=PIXELS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    name = shorten(run.name, MOST_LETTERS, placeholder=" ...")
    figure.suptitle(name, fontsize=13, weight="bold", x=0.01, ha="left", color=LIGHT["ink"])
    for axis, chart in zip(_grid(figure, len(drawn)), drawn, strict=True):
        rows = _draw_starts(axis, starts(marks), epochs)
        _draw(axis, chart, epochs, stages, rows)
    if marks:
        _draw_findings(figure, marks, epochs, stages)
    return figure


def _grid(figure: Figure, count: int) -> list[Axes]:
    """As many axes as there are charts; the last fills its row where it is alone."""
    grid = figure.add_gridspec(math.ceil(count / COLUMNS), COLUMNS)
    axes = [
        figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
        for place in range(count - count % COLUMNS)
    ]
    return axes + ([figure.add_subplot(grid[-1, :])] if count % COLUMNS else [])


def _draw(
    axis: Axes, chart: Chart, epochs: Sequence[int], stages: Sequence[StageSpan], rows: int
) -> None:
    """One chart; ``rows`` lines of codes are kept free above its curves."""
    scale = ValueScale(chart)
    _shade(axis, stages)
    for index, curve in enumerate(chart.curves):
        values = [math.nan if v is None else scale.place(v) for v in curve.values]
        axis.plot(
            epochs,
            values,
            label=curve.label,
            color=COLOURS[index % len(COLOURS)],
            ls=LINE_STYLES[index % len(LINE_STYLES)],
            lw=LINE_WIDTH,
            clip_on=False,  # at the edge a line is as thick as elsewhere
            marker="o" if len(epochs) == 1 else "",
        )
    for value, name in chart.lines:
        height = scale.place(value)
        axis.axhline(height, color=LIGHT["soft"], lw=1, ls=(0, (3, 3)), label=name, zorder=1)
    if chart.band is not None:
        low, high, name = chart.band
        ends = scale.place(low), scale.place(high)
        axis.axhspan(*ends, color=LIGHT["ok"], alpha=0.14, lw=0, label=name, zorder=0)
    axis.set_yticks([scale.place(tick) for tick in scale.ticks], map(figure_text, scale.ticks))
    span = scale.high - scale.low
    axis.set_ylim(scale.low, scale.high + span * ROW_SHARE * rows)
    _label(axis, chart.title, epochs, stages)
    axis.set_ylabel(scale.label(chart.unit), fontsize=8)
    show_plainly(axis)
    axis.grid(visible=False, axis="x")
    if 0.0 in scale.ticks:
        axis.axhline(scale.place(0.0), color=LIGHT["soft"], lw=0.8, zorder=1)
    _put_legend_below(axis)


def _put_legend_below(axis: Axes) -> None:
    """Name the curves below the axis, where they hide nothing."""
    _, labels = axis.get_legend_handles_labels()
    from matplotlib.transforms import ScaledTranslation

    letters = sum(len(label) + SAMPLE_LETTERS for label in labels)
    lines = math.ceil(letters / LEGEND_LETTERS)
    figure = axis.get_figure(root=True)
    assert figure is not None, "an axis that is drawn has a figure"
    below = ScaledTranslation(0.0, -LEGEND_INCHES, figure.dpi_scale_trans)
    axis.legend(
        fontsize=7,
        frameon=False,
        ncols=math.ceil(len(labels) / lines),
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=axis.transAxes + below,
        borderaxespad=0.0,
    )


def _draw_starts(axis: Axes, found: Sequence[Start], epochs: Sequence[int]) -> int:
    """Mark below the axis where findings start, above it the codes of warnings.

    Returns:
        Lines that the codes take.
    """
    span = epochs[-1] - epochs[0] + 1
    taken: list[tuple[float, float, int]] = []
    for start in found:
        axis.plot(
            start.epoch,
            0.0,
            marker=CARET,
            color=LIGHT[start.level],
            ms=CARET_SIZE,
            mew=0,
            transform=axis.get_xaxis_transform(),
            clip_on=False,
        )
        if start.is_remark:
            continue
        axis.axvline(start.epoch, color=LIGHT[start.level], lw=1, ls=(0, (2, 2)), zorder=1)
        codes, more = start.codes[:MOST_CODES], len(start.codes) - MOST_CODES
        label = " ".join([*codes, f"+{more}"] if more > 0 else codes)
        length = LETTER_SHARE * (len(label) + 1) * span
        is_late = start.epoch + length > epochs[-1] + 0.5
        low = start.epoch - length if is_late else start.epoch
        row = free_row(taken, low, low + length)
        axis.annotate(
            label,
            (start.epoch, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if is_late else 3, -2 - 10 * row),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va="top",
            fontsize=7,
            color=LIGHT[start.level],
        )
    return max((row + 1 for *_, row in taken), default=0)


def _draw_findings(
    figure: Figure, marks: Sequence[Mark], epochs: Sequence[int], stages: Sequence[StageSpan]
) -> None:
    """One bar per finding at the foot of the figure, its name beside the axis."""
    width, height = figure.get_size_inches()
    axis = figure.add_axes((0.1, AXIS_INCHES / height, 0.8, FINDING_INCHES * len(marks) / height))
    axis.set_in_layout(False)  # its names would push the charts aside
    _shade(axis, stages)
    for row, mark in enumerate(marks):
        length = mark.last - mark.first + 1
        opacity = 0.5 if mark.is_open else 0.2
        left, colour = mark.first - 0.5, LIGHT[mark.level]
        axis.barh(row, length, left=left, height=0.55, color=colour, alpha=opacity)
    axis.set_ylim(len(marks) - 0.4, -0.6)  # the first on top
    axis.set_yticks(range(len(marks)), [mark.label for mark in marks])
    _label(axis, "Findings over the epochs", epochs, stages)
    show_plainly(axis)
    axis.grid(visible=False)
    axis.tick_params(axis="y", labelcolor=LIGHT["ink"])
    names = max(label.get_window_extent().width for label in axis.get_yticklabels())
    left = names / figure.dpi + GAP_INCHES
    _, bottom, _, tall = axis.get_position().bounds
    axis.set_position((left / width, bottom, 1.0 - (left + GAP_INCHES) / width, tall))


def _shade(axis: Axes, stages: Sequence[StageSpan]) -> None:
    """Tell stages apart, their names above the axis."""
    for index, span in enumerate(stages):
        if index % 2 == 1:
            ends = span.first - 0.5, span.last + 0.5
            axis.axvspan(*ends, color=LIGHT["soft"], alpha=0.09, lw=0, zorder=0)
        share = (span.last - span.first + 1) / (stages[-1].last - stages[0].first + 1)
        if len(stages) > 1 and share > NAMED:
            axis.annotate(
                span.stage,
                (span.first - 0.5, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(2, 2),
                textcoords="offset points",
                va="bottom",
                fontsize=7,
                color=LIGHT["soft"],
            )


def _label(axis: Axes, title: str, epochs: Sequence[int], stages: Sequence[StageSpan]) -> None:
    """Title, above the stages' names if there are any, and the epochs' axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    pad = 16 if len(stages) > 1 else 6
    axis.set_title(title, fontsize=9.5, weight="bold", loc="left", pad=pad, color=LIGHT["ink"])
    axis.set_xlabel("epoch", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axis.tick_params(labelsize=8, pad=6)
