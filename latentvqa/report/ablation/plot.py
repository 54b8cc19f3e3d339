"""An ablation as a picture: every seed of every arm, and the differences with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from latentvqa.core.ablation import AblationResult
from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted
from latentvqa.report.picture import png_of, show_plainly
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

PIXELS_PER_INCH = 110
_CHART_INCHES = 2.9  # wide, each of four
_NAMES_INCHES = 1.5  # wide
_LINE_INCHES = 0.16  # high, of an arm's name
_ARM_INCHES = 0.42  # high, at least
_GAP_INCHES = 0.12  # between the names of two arms
_FRAME_INCHES = 1.3
_PAD_INCHES = 0.1  # beside each chart, so that the numbers of two do not touch
_LETTERS = 22  # of an arm's name in a line
_MOST_LINES = 4  # of an arm's name
_TITLE_LETTERS = 14  # of the title, an inch of the figure
_LEGEND_INCHES = 1.25  # wide, an entry of the legend
_MOST_TICKS = 4  # of a chart, so that their numbers keep apart
_COLOURS = tuple(LIGHT[name] for name in ("c0", "c1", "c2", "c3"))
_MEAN_COLOUR = LIGHT["soft"]
_TITLE: dict[str, Any] = {
    "fontsize": 9.5,
    "weight": "bold",
    "loc": "left",
    "color": LIGHT["ink"],
}
_MARKERS = "osD^vP*X"
_MOST_NAMED = 8  # seeds in the legend
# in colours that no seed has
_OVER_SEEDS, _OVER_IMAGES = LIGHT["ink"], LIGHT["c4"]
_INTERVALS = (("95 % over seeds", _OVER_SEEDS), ("95 % over images", _OVER_IMAGES))

# measure, title, what a value is multiplied with
_CHARTS = (
    ("exact_match", "Exact match, %", 100.0),
    ("answer_loss", "Answer loss, nats per token", 1.0),
    ("rate", "Rate, nats per example", 1.0),
)


def ablation_png(result: AblationResult) -> bytes:
    """Draw an ablation as a PNG picture: arms from above, a marker per seed.

    Args:
        result: with at least one finished run.

    Returns:
        The content of the file.
    """
    return png_of(ablation_figure(result))


def ablation_figure(result: AblationResult) -> Figure:
    """The figure of that picture, as large as its names need."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawn = [chart for chart in _CHARTS if any(chart[0] in arm.spreads for arm in result.arms)]
    count = len(drawn) + any(arm.comparison for arm in result.arms)
    names = [_name_lines(arm.name, is_default=arm.name == result.default) for arm in result.arms]
    row = max(_ARM_INCHES, _GAP_INCHES + _LINE_INCHES * max(map(len, names)))
    width = _CHART_INCHES * count + _NAMES_INCHES
    title = _title_lines(result, round(_TITLE_LETTERS * width))
    height = _FRAME_INCHES + _LINE_INCHES * len(title) + row * len(names)
    layout = ConstrainedLayoutEngine(w_pad=_PAD_INCHES)
    figure = Figure((width, height), PIXELS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    axes: Sequence[Axes] = figure.subplots(1, count, squeeze=False, sharey=True)[0]
    for axis, (measure, heading, scale) in zip(axes, drawn, strict=False):
        _draw_seeds(axis, result, measure, scale)
        axis.set_title(heading, **_TITLE)
    if count > len(drawn):
        _draw_differences(axes[-1], result)
    axes[0].set_yticks(range(len(names)), ["\n".join(lines) for lines in names])
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes:
        _tidy(axis)
        for place in range(0, len(names), 2):  # the eye follows an arm through all charts
            axis.axhspan(place - 0.5, place + 0.5, color=LIGHT["card"], zorder=0)
    figure.suptitle("\n".join(title), fontsize=10, x=0.01, ha="left", color=LIGHT["ink"])
    handles = _legend(result)
    if handles:
        columns = max(1, int(width / _LEGEND_INCHES))
        figure.legend(
            handles=handles, loc="outside lower left", fontsize=8, frameon=False, ncols=columns
        )
    return figure


def _name_lines(name: str, *, is_default: bool) -> list[str]:
    """An arm's name in lines that stay within their row."""
    shown = f"{name} (default)" if is_default else name
    return wrap(shown, _LETTERS, max_lines=_MOST_LINES, placeholder=" ...") or [""]


def _title_lines(result: AblationResult, letters: int) -> list[str]:
    title = f"{result.name}   {result.description}".strip()
    return wrap(title, letters, max_lines=2, placeholder=" ...", drop_whitespace=True)


def _tidy(axis: Axes) -> None:
    """Few ticks with whole numbers beside them, and no frame but the axis."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(nbins=_MOST_TICKS, steps=[1, 2, 2.5, 5, 10]))
    axis.ticklabel_format(axis="x", style="plain", useOffset=False)
    show_plainly(axis)
    axis.grid(visible=False, axis="y")
    axis.tick_params(labelsize=8)
    axis.tick_params(axis="y", labelcolor=LIGHT["ink"])


def _legend(result: AblationResult) -> list[Line2D]:
    """What the markers and the bars mean, where there is more than one kind."""
    from matplotlib.lines import Line2D

    handles = []
    if len(result.seeds) > 1:
        named = result.seeds[:_MOST_NAMED]
        handles += [_seed_mark(place, seed) for place, seed in enumerate(named)]
    if len(result.seeds) > _MOST_NAMED:
        more = counted(len(result.seeds) - _MOST_NAMED, "more seed")
        handles.append(Line2D([], [], label=more, ls=""))
    if len(result.seeds) > 1:
        handles.append(Line2D([], [], label="mean", color=_MEAN_COLOUR, marker="|", ms=10, ls=""))
    if any(arm.comparison for arm in result.arms):
        for label, colour in _INTERVALS:
            handles.append(Line2D([], [], label=label, color=colour, lw=2, alpha=0.7))
    return handles


def _draw_seeds(axis: Axes, result: AblationResult, measure: str, scale: float) -> None:
    """A marker for every run, the same for the same seed, and a line at the mean."""
    for row, arm in enumerate(result.arms):
        spread = arm.spreads.get(measure)
        if spread is not None:
            axis.plot(
                [scale * spread.value] * 2, [row - 0.32, row + 0.32], color=_MEAN_COLOUR, lw=1.6
            )
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
    axis.axvline(0.0, color=LIGHT["soft"], lw=1)
    for row, arm in enumerate(result.arms):
        if arm.comparison is None:
            continue
        _draw_interval(axis, arm.comparison.over_seeds["exact_match"], row - 0.14, _OVER_SEEDS)
        if arm.comparison.over_images is not None:
            _draw_interval(axis, arm.comparison.over_images, row + 0.14, _OVER_IMAGES)
    axis.set_title("Exact match minus default's, points", **_TITLE)


def _draw_interval(axis: Axes, estimate: Estimate, height: float, colour: str) -> None:
    if estimate.low is not None and estimate.high is not None:
        ends = [100.0 * estimate.low, 100.0 * estimate.high]
        axis.plot(ends, [height] * 2, color=colour, lw=2, alpha=0.7)
    axis.plot(100.0 * estimate.value, height, "o", color=colour, ms=4)
