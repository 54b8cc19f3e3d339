"""``curves.png``: the only module of the package that touches matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentvqa.report.diagnosis.curves import (
    Chart,
    Mark,
    StageSpan,
    Start,
    charts,
    finding_marks,
    stage_spans,
    starts,
)
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.svg import free_row
from latentvqa.report.png import png_of
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = tuple(LIGHT[name] for name in ("c0", "c1", "c2", "c3"))
LINE_STYLES = ("-", "--", ":", "-.")  # curves differ without colour, too
CHART_INCHES = (5.2, 3.0)
PIXELS_PER_INCH = 110
LETTER_SHARE = 0.02  # of the axis' width that a letter of a code takes, roughly
REMARK = (0.95, 1.0)  # part of the axis' height that marks the start of a remark
NAMED = 0.12  # share of the epochs from which on a stage has room for its name
HEADROOM = 0.1  # share of the axis kept free for stage names


def curves_png(run: JudgedRun) -> bytes:
    """Draw a run's curves and its findings as a PNG picture.

    Args:
        run: the run; one epoch is enough.

    Returns:
        The content of the file.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    records = run.history.records
    drawn = charts(run.history.header, records, run.thresholds)
    if not drawn:
        raise ValueError("the records hold nothing to draw")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    marks = finding_marks(run.diagnosis)
    count = len(drawn) + bool(marks)
    columns = min(2, count)
    rows = -(-count // columns)
    size = (CHART_INCHES[0] * columns, CHART_INCHES[1] * rows)
    figure = Figure(figsize=size, dpi=PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    axes: list[Axes] = list(grid.flat)
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    for axis, chart in zip(axes, drawn, strict=False):
        _draw(axis, chart, epochs, stages)
        taken: list[tuple[float, float, int]] = []
        for start in starts(marks):
            top = REMARK if start.is_remark else (0.0, 1.0)
            style = "-" if start.is_remark else (0, (2, 2))
            axis.axvline(start.epoch, *top, color=LIGHT[start.level], lw=1.2, ls=style)
            if not start.is_remark:
                is_late = start.epoch > (epochs[0] + epochs[-1]) / 2
                length = LETTER_SHARE * len(" ".join(start.codes)) * (epochs[-1] - epochs[0] + 1)
                low = start.epoch - length if is_late else start.epoch
                row = free_row(taken, low, low + length)
                _name(axis, start, row, is_late=is_late)
    if marks:
        _draw_findings(axes[len(drawn)], marks, epochs, stages)
    for axis in axes[count:]:
        axis.set_axis_off()
    return png_of(figure)


def _draw(axis: Axes, chart: Chart, epochs: Sequence[int], stages: Sequence[StageSpan]) -> None:
    _shade(axis, stages)
    if chart.band is not None:
        low, high, name = chart.band
        axis.axhspan(low, high, color=COLOURS[2], alpha=0.12, lw=0, label=name)
    for value, name in chart.lines:
        axis.axhline(value, color="0.4", lw=1, ls=(0, (3, 3)), label=name)
    for index, curve in enumerate(chart.curves):
        values = [float("nan") if value is None else value for value in curve.values]
        axis.plot(
            epochs,
            values,
            label=curve.label,
            color=COLOURS[index % len(COLOURS)],
            ls=LINE_STYLES[index % len(LINE_STYLES)],
            marker="o" if len(epochs) == 1 else "",
        )
    if chart.is_logarithmic and any((v or 0.0) > 0.0 for c in chart.curves for v in c.values):
        axis.set_yscale("log", nonpositive="mask")
    else:
        low, high = axis.get_ylim()
        axis.set_ylim(min(0.0, low), high + HEADROOM * (high - min(0.0, low)))
    _label(axis, chart.title, epochs)
    axis.grid(alpha=0.25)
    axis.legend(fontsize=7, frameon=False)


def _draw_findings(
    axis: Axes, marks: Sequence[Mark], epochs: Sequence[int], stages: Sequence[StageSpan]
) -> None:
    """One bar per finding, from its first to its last epoch."""
    _shade(axis, stages)
    middle = (min(epochs) + max(epochs)) / 2
    for row, mark in enumerate(marks):
        colour = LIGHT[mark.level]
        length = mark.last - mark.first + 1
        axis.barh(row, length, left=mark.first - 0.5, color=colour, alpha=_opacity(mark))
        is_late = mark.first > middle
        axis.annotate(
            mark.label,
            (mark.first - 0.5, row),
            xytext=(-4 if is_late else 4, 0),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va="center",
            fontsize=7,
        )
    axis.set_ylim(len(marks) - 0.4, -1.2)  # the first on top, room for the stages' names
    axis.set_yticks([])
    _label(axis, "Findings over the epochs", epochs)


def _name(axis: Axes, start: Start, row: int, *, is_late: bool) -> None:
    """Put the codes of findings beside their line, below the stages' names."""
    axis.annotate(
        " ".join(start.codes),
        (start.epoch, 0.88),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if is_late else 3, -8 * row),
        textcoords="offset points",
        ha="right" if is_late else "left",
        va="top",
        fontsize=7,
        color=LIGHT[start.level],
    )


def _opacity(mark: Mark) -> float:
    return 0.28 if mark.is_open else 0.1


def _shade(axis: Axes, stages: Sequence[StageSpan]) -> None:
    for index, span in enumerate(stages):
        if index % 2 == 1:
            axis.axvspan(span.first - 0.5, span.last + 0.5, color="0.5", alpha=0.1, lw=0)
        share = (span.last - span.first + 1) / (stages[-1].last - stages[0].first + 1)
        if len(stages) > 1 and share > NAMED:
            axis.annotate(
                span.stage,
                (span.first - 0.4, 0.98),
                xycoords=("data", "axes fraction"),
                va="top",
                fontsize=7,
                color="0.4",
            )


def _label(axis: Axes, title: str, epochs: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    axis.set_title(title, fontsize=9, loc="left")
    axis.set_xlabel("epoch", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axis.tick_params(labelsize=8)
