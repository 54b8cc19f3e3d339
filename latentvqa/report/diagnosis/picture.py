"""A run's curves and findings as one picture file, SVG and PNG alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

from latentvqa.report.diagnosis.curves import (
    LARGEST,
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
from latentvqa.report.picture import png_of, svg_of, write_plain_numbers
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = tuple(LIGHT[name] for name in ("c0", "c1", "c2", "c3"))
LINE_STYLES = ("-", "--", ":", "-.")  # curves differ without colour, too
COLUMNS = 2
CHART_INCHES = (5.2, 3.1)
TITLE_INCHES = 0.3
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
REMARK = (0.95, 1.0)  # part of the axis' height that marks the start of a remark
NAMED = 0.12  # share of the epochs from which on a stage has room for its name
MARGIN = 0.04  # share of the axis kept free above and below the curves
REMARK_SHARE = 0.04  # kept free for the marks of remarks
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
    layout = ConstrainedLayoutEngine(rect=(0.0, below / height, 1.0, 1.0 - below / height))
    figure = Figure(figsize=(width, height), dpi=PIXELS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    name = shorten(run.name, MOST_LETTERS, placeholder=" ...")
    figure.suptitle(name, fontsize=11, x=0.01, ha="left")
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
    _shade(axis, stages)
    if chart.band is not None:
        low, high, name = chart.band
        axis.axhspan(low, high, color=COLOURS[2], alpha=0.12, lw=0, label=name)
    for value, name in chart.lines:
        axis.axhline(value, color="0.4", lw=1, ls=(0, (3, 3)), label=name)
    shown = []
    for index, curve in enumerate(chart.curves):
        values = [math.nan if v is None else min(max(v, -LARGEST), LARGEST) for v in curve.values]
        shown += [value for value in values if not math.isnan(value)]
        axis.plot(
            epochs,
            values,
            label=curve.label,
            color=COLOURS[index % len(COLOURS)],
            ls=LINE_STYLES[index % len(LINE_STYLES)],
            marker="o" if len(epochs) == 1 else "",
        )
    shown += [*(value for value, _ in chart.lines), *(chart.band[:2] if chart.band else ())]
    _bound(axis, shown, REMARK_SHARE + ROW_SHARE * rows, is_logarithmic=chart.is_logarithmic)
    write_plain_numbers(axis.yaxis)
    _label(axis, chart.title, epochs, stages)
    axis.grid(alpha=0.25)
    _put_legend_below(axis)


def _bound(axis: Axes, shown: Sequence[float], free: float, *, is_logarithmic: bool) -> None:
    """Let the axis hold all values, and leave a share of it free above them."""
    positive = [value for value in shown if value > 0.0]
    if is_logarithmic and positive:
        axis.set_yscale("log", nonpositive="mask")
        low, high = math.log10(max(min(positive), 1e-12)), math.log10(max(positive))
        low -= max(0.5 * (1.0 - high + low), 0.0)  # a decade at least, the curve in its middle
        span = max(high - low, 1.0) / (1.0 - free)
        axis.set_ylim(10.0 ** (low - MARGIN * span), 10.0 ** (low + span * (1.0 + MARGIN)))
        return
    low, high = min(0.0, *shown), max(0.0, *shown)
    span = (high - low or 1.0) / (1.0 - free)
    axis.set_ylim(low - MARGIN * span, low + span * (1.0 + MARGIN))


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
    """Mark where findings start, warnings with their codes.

    Returns:
        Lines that the codes take.
    """
    span = epochs[-1] - epochs[0] + 1
    taken: list[tuple[float, float, int]] = []
    for start in found:
        top = REMARK if start.is_remark else (0.0, 1.0)
        style = "-" if start.is_remark else (0, (2, 2))
        axis.axvline(start.epoch, *top, color=LIGHT[start.level], lw=1.2, ls=style)
        if start.is_remark:
            continue
        codes, more = start.codes[:MOST_CODES], len(start.codes) - MOST_CODES
        label = " ".join([*codes, f"+{more}"] if more > 0 else codes)
        length = LETTER_SHARE * (len(label) + 1) * span
        is_late = start.epoch + length > epochs[-1] + 0.5
        low = start.epoch - length if is_late else start.epoch
        row = free_row(taken, low, low + length)
        axis.annotate(
            label,
            (start.epoch, REMARK[0]),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if is_late else 3, -10 * row),
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
        axis.barh(row, length, left=mark.first - 0.5, color=LIGHT[mark.level], alpha=opacity)
    axis.set_ylim(len(marks) - 0.4, -0.6)  # the first on top
    axis.set_yticks(range(len(marks)), [mark.label for mark in marks])
    _label(axis, "Findings over the epochs", epochs, stages)
    axis.tick_params(axis="y", length=0)
    names = max(label.get_window_extent().width for label in axis.get_yticklabels())
    left = names / figure.dpi + GAP_INCHES
    _, bottom, _, tall = axis.get_position().bounds
    axis.set_position((left / width, bottom, 1.0 - (left + GAP_INCHES) / width, tall))


def _shade(axis: Axes, stages: Sequence[StageSpan]) -> None:
    """Tell stages apart, their names above the axis."""
    for index, span in enumerate(stages):
        if index % 2 == 1:
            axis.axvspan(span.first - 0.5, span.last + 0.5, color="0.5", alpha=0.1, lw=0)
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
                color="0.4",
            )


def _label(axis: Axes, title: str, epochs: Sequence[int], stages: Sequence[StageSpan]) -> None:
    """Title, above the stages' names if there are any, and the epochs' axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    axis.set_title(title, fontsize=9, loc="left", pad=14 if len(stages) > 1 else 4)
    axis.set_xlabel("epoch", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axis.tick_params(labelsize=8)
