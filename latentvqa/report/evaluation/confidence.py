"""Whether confidences can be trusted: a few lines for the console, two charts as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted
from latentvqa.core.results.confidence import FEWEST_TO_RANK, Confidence
from latentvqa.report.diagnosis.value_scale import SHARES, even_ticks
from latentvqa.report.figure_table import Fact, fact_table
from latentvqa.report.picture import png_of, show_plainly, write_percent
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110
_TITLE_PAD = 22  # points above the axis, over the line below the title
_ROOM = 0.045  # beyond 0 and 1
LEAST_RISK = 0.02  # that the axis of the risk reaches to
_FEW_POINTS = 20  # of a curve, each of which gets a dot
DOTS = "dots: mean confidence, as large as their share of the answers"
DASHED = "dashed: of all answers"


def confidence_lines(found: Confidence) -> Table:
    """Calibration, ranking and abstention in words; shares become percent here."""
    facts: list[Fact] = []

    def add(name: str, value: str) -> None:
        facts.append((name, value))

    add("calibration error", _range(found.calibration_error))
    if (expected := found.calibration_error_if_calibrated) is not None:
        add("  if it were perfect", f"{_range(expected)}, on as many rows")
    if (debiased := found.calibration_error_debiased) is not None:
        add("  debiased", f"{debiased * 100:.2f} %, root mean square over the bins")
    ranked = found.auroc
    undefined = "not defined: no mistakes, or nothing right"
    add("AUROC of being right", undefined if ranked is None else _ranking(ranked, found))
    add("risk-coverage area", f"{_range(found.aurc)}, lower is better")
    at = found.accuracy_at_coverage.items()
    add("right among the surest", ", ".join(f"{_percent(c)}: {_percent(v)}" for c, v in at))
    at = found.coverage_at_risk.items()
    add("answerable at a risk", ", ".join(f"of {_percent(r)}: {_percent(v)}" for r, v in at))
    add("logit temperature", f"{found.logit_temperature:.3g}")
    return fact_table(facts)


def confidence_png(found: Confidence) -> bytes:
    """Draw the reliability diagram and the risk-coverage curve as a PNG picture.

    The curve is left out where all answers are right, or all wrong: it would be flat.

    Args:
        found: how good the confidences are.

    Returns:
        The content of the file.
    """
    return png_of(confidence_figure(found))


def confidence_figure(found: Confidence) -> Figure:
    """The figure of that picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    has_curve = bool(found.right and found.wrong)
    size = (9.0 if has_curve else 4.7, 3.9)
    figure = Figure(figsize=size, dpi=PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 1 + has_curve, squeeze=False)[0]
    _draw_reliability(axes[0], found)
    if has_curve:
        _draw_risk(axes[1], found)
    for axis in axes:
        show_plainly(axis)
    return figure


def _draw_reliability(axis: Axes, found: Confidence) -> None:
    """A bar for each bin that has rows, and a dot at its mean confidence."""
    bins = [one for one in found.reliability if one.rows]
    rows = sum(one.rows for one in bins)
    axis.plot([0, 1], [0, 1], ls="--", lw=1, color=LIGHT["soft"])
    axis.bar(
        [one.low for one in bins],
        [one.accuracy for one in bins],
        width=[one.high - one.low for one in bins],
        align="edge",
        color=f"{LIGHT['c0']}4d",  # three tenths opaque
        edgecolor=LIGHT["c0"],
    )
    axis.scatter(
        [one.confidence for one in bins],
        [one.accuracy for one in bins],
        s=[12 + 240 * one.rows / rows for one in bins],
        color=LIGHT["c1"],
        zorder=3,
        clip_on=False,
    )
    note = DOTS.replace(", ", ",\n")
    if not (found.right and found.wrong):
        note += f"\nall answers are {'right' if found.right else 'wrong'}: nothing to rank"
    expected = _percent(found.calibration_error.value)
    error = f"{counted(rows, 'answer')}, expected calibration error {expected}"
    _name(axis, "Reliability", error)
    # room for whole dots at 0 and at 1, where few rows often lie
    axis.set(xlim=(-_ROOM, 1 + _ROOM), ylim=(-_ROOM, 1 + _ROOM))
    axis.set(xlabel=f"confidence\n{note}", ylabel="share right")
    write_percent(axis.xaxis, SHARES)
    write_percent(axis.yaxis, SHARES)


def _draw_risk(axis: Axes, found: Confidence) -> None:
    """The share of wrong answers among the surest ones, beside that of all."""
    coverage, risks = zip(*found.risk_coverage, strict=True)
    is_short = len(risks) <= _FEW_POINTS
    axis.plot(coverage, risks, color=LIGHT["c0"], lw=1.8, marker="o" if is_short else "", ms=4)
    axis.axhline(risks[-1], ls="--", lw=1, color=LIGHT["soft"])
    _name(axis, "Risk and coverage", f"area {_percent(found.aurc.value)}")
    ticks = even_ticks(0.0, max(*risks, LEAST_RISK))
    axis.set(xlim=(-_ROOM, 1 + _ROOM), ylim=(-_ROOM * ticks[-1], ticks[-1] * (1 + _ROOM)))
    axis.set(xlabel=f"share answered, surest first\n{DASHED}", ylabel="share wrong")
    write_percent(axis.xaxis, SHARES)
    write_percent(axis.yaxis, ticks)


def _name(axis: Axes, title: str, more: str) -> None:
    """A title with what it amounts to below it."""
    axis.set_title(
        title, fontsize=10.5, loc="left", weight="bold", color=LIGHT["ink"], pad=_TITLE_PAD
    )
    axis.annotate(
        more,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        va="bottom",
        fontsize=9,
        color=LIGHT["soft"],
    )


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _range(measure: Estimate) -> str:
    if measure.low is None or measure.high is None:
        return f"{measure.value * 100:.2f} % (one image)"
    low, high = measure.low * 100, measure.high * 100
    return f"{measure.value * 100:.2f} % ({low:.2f} to {high:.2f})"


def _ranking(measure: Estimate, found: Confidence) -> str:
    if measure.low is None or measure.high is None:
        number, kind = min((found.right, "right"), (found.wrong, "wrong"))
        reason = "one image"
        if number < FEWEST_TO_RANK:
            reason = f"{counted(number, f'{kind} answer')}; an interval needs {FEWEST_TO_RANK}"
        return f"{measure.value:.3f} ({reason})"
    return f"{measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f})"
