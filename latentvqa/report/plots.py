"""``curves.png``: the only module of the package that touches matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.thresholds import KLHealthThresholds
from latentvqa.report.curves import Chart, StageSpan, charts, stage_spans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0969da", "#c2410c", "#1a7f37", "#8250df")
LINE_STYLES = ("-", "--", ":", "-.")  # curves differ without colour, too
CHART_INCHES = (5.2, 3.0)
PIXELS_PER_INCH = 110
HEADROOM = 0.1  # share of the axis kept free for stage names


def draw_curves(
    header: RunHeader,
    records: Sequence[EpochRecord],
    path: Path | str,
    thresholds: KLHealthThresholds | None = None,
) -> None:
    """Draw a run's curves into a PNG file.

    Args:
        header: what the run was made with.
        records: its epochs, in order; one is enough.
        path: the file to write.
        thresholds: limits to draw; the defaults without them.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    drawn = charts(header, records, thresholds)
    if not drawn:
        raise ValueError("the records hold nothing to draw")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    size = (CHART_INCHES[0] * columns, CHART_INCHES[1] * rows)
    figure = Figure(figsize=size, dpi=PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    axes: list[Axes] = list(grid.flat)
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    for axis, chart in zip(axes, drawn, strict=False):
        _draw(axis, chart, epochs, stages)
    for axis in axes[len(drawn) :]:
        axis.set_axis_off()
    figure.savefig(path, format="png")


def _draw(axis: Axes, chart: Chart, epochs: Sequence[int], stages: Sequence[StageSpan]) -> None:
    from matplotlib.ticker import MaxNLocator

    for index, span in enumerate(stages):
        if index % 2 == 1:
            axis.axvspan(span.first - 0.5, span.last + 0.5, color="0.5", alpha=0.1, lw=0)
        if len(stages) > 1:
            axis.annotate(
                span.stage,
                (span.first - 0.4, 0.98),
                xycoords=("data", "axes fraction"),
                va="top",
                fontsize=7,
                color="0.4",
            )
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
    axis.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    axis.set_title(chart.title, fontsize=9, loc="left")
    axis.set_xlabel("epoch", fontsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.25)
    axis.legend(fontsize=7, frameon=False)
