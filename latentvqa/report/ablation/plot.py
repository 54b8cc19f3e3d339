"""An ablation as a picture: every seed of every arm, and the differences with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from latentvqa.core.ablation import AblationResult, Estimate
from latentvqa.report.picture import png_of
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

PIXELS_PER_INCH = 110
_CHART_INCHES = 2.9  # wide, each of four
_ARM_INCHES = 0.42  # high
_FRAME_INCHES = 1.5
_LETTERS = 16  # of an arm's name in a line
_COLOURS = tuple(LIGHT[name] for name in ("c0", "c1", "c2", "c3"))
_MARKERS = "osD^vP*X"
_MOST_NAMED = 8  # seeds in the legend
_LEGEND: dict[str, Any] = {"fontsize": 8, "frameon": False, "ncols": _MOST_NAMED}

# measure, title, what a value is multiplied with
_CHARTS = (
    ("exact_match", "Exact match, %", 100.0),
    ("answer_loss", "Answer loss, nats per token", 1.0),
    ("rate", "Rate, nats", 1.0),
)


def ablation_png(result: AblationResult) -> bytes:
    """Draw an ablation as a PNG picture: arms from above, a marker per seed.

    Args:
        result: with at least one finished run.

    Returns:
        The content of the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [chart for chart in _CHARTS if any(chart[0] in arm.spreads for arm in result.arms)]
    count = len(drawn) + any(arm.comparison for arm in result.arms)
    height = _FRAME_INCHES + _ARM_INCHES * len(result.arms)
    figure = Figure((_CHART_INCHES * count + 1.0, height), PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Sequence[Axes] = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for axis, (measure, title, scale) in zip(axes, drawn, strict=False):
        _draw_seeds(axis, result, measure, scale)
        axis.set_title(title, fontsize=9, loc="left")
    if count > len(drawn):
        _draw_differences(axes[-1], result)
    names = [
        fill(arm.name + (" (default)" if arm.name == result.default else ""), _LETTERS)
        for arm in result.arms
    ]
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes:
        axis.tick_params(labelsize=8, left=False)
        axis.grid(axis="x", alpha=0.25)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
    title = f"{result.name}   {result.description}".strip()
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    if len(result.seeds) > 1:
        marks = [_seed_mark(place, seed) for place, seed in enumerate(result.seeds)]
        figure.legend(handles=marks[:_MOST_NAMED], loc="outside lower left", **_LEGEND)
    return png_of(figure)


def _draw_seeds(axis: Axes, result: AblationResult, measure: str, scale: float) -> None:
    """A marker for every run, the same for the same seed, and a line at the mean."""
    for row, arm in enumerate(result.arms):
        spread = arm.spreads.get(measure)
        if spread is not None:
            axis.plot([scale * spread.value] * 2, [row - 0.32, row + 0.32], color="0.35", lw=1.6)
        for place, seed in enumerate(result.seeds):
            offset = 0.4 * ((place + 0.5) / len(result.seeds) - 0.5)
            for run in result.runs:
                value = (run.measures or {}).get(measure)
                if (run.arm, run.seed) == (arm.name, seed) and value is not None:
                    axis.plot(scale * value, row + offset, **_mark(place))


def _mark(place: int) -> dict[str, Any]:
    """How the runs of a seed look."""
    return {
        "marker": _MARKERS[place % len(_MARKERS)],
        "color": _COLOURS[place % len(_COLOURS)],
        "ms": 4.5,
        "alpha": 0.85,
        "ls": "",
    }


def _seed_mark(place: int, seed: int) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=f"seed {seed}", **_mark(place))


def _draw_differences(axis: Axes, result: AblationResult) -> None:
    """Exact match minus that of the default, with the intervals over seeds and over images."""
    axis.axvline(0.0, color="0.4", lw=1)
    for row, arm in enumerate(result.arms):
        if arm.comparison is None:
            continue
        over_seeds = arm.comparison.over_seeds["exact_match"]
        _draw_interval(axis, over_seeds, row - 0.14, _COLOURS[0], "over seeds")
        if arm.comparison.over_images is not None:
            over_images = arm.comparison.over_images
            _draw_interval(axis, over_images, row + 0.14, _COLOURS[1], "over images")
    handles, labels = axis.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    axis.legend(once.values(), once.keys(), fontsize=7, frameon=False, loc="best")
    axis.set_title(f"Exact match minus that of {result.default!r}, points", fontsize=9, loc="left")


def _draw_interval(axis: Axes, estimate: Estimate, height: float, colour: str, label: str) -> None:
    if estimate.low is not None and estimate.high is not None:
        ends = [100.0 * estimate.low, 100.0 * estimate.high]
        axis.plot(ends, [height] * 2, color=colour, lw=2, alpha=0.7, label=f"95 % {label}")
    axis.plot(100.0 * estimate.value, height, "o", color=colour, ms=4)
