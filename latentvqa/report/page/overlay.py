"""The curves of several runs in the same charts: one colour a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from latentvqa.report.diagnosis.columns import LEARNT
from latentvqa.report.diagnosis.curves import DASHES, Chart, Curve, charts
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.page.charts import COLOURS, CurveStyle, line_chart

MAIN = ("validation", LEARNT)  # the curve of a chart that stands for the run
BESIDE = "training"  # drawn thinly dashed beside the curve of the validation


@dataclass(frozen=True)
class Overlay:
    """One chart of several runs.

    Attributes:
        title: what is shown, with the unit.
        curve: which curve of each run it is.
        svg: the picture.
        is_inner: whether it is about the KL and its schedule.
    """

    title: str
    curve: str
    svg: str
    is_inner: bool


def run_styles(count: int) -> list[CurveStyle]:
    """One colour a run; dashes tell apart the runs that share one."""
    return [
        CurveStyle(index % COLOURS, DASHES[(index // COLOURS) % len(DASHES)])
        for index in range(count)
    ]


def overlays(runs: Sequence[JudgedRun], names: Sequence[str]) -> list[Overlay]:
    """The charts that any of the runs has, each with the curves of all that have it.

    Args:
        runs: the runs; one without epochs has no curve.
        names: what the runs are called, in the same order.
    """
    epochs = sorted({record.epoch for run in runs for record in run.history.records})
    drawn = [
        {chart.title: chart for chart in charts(run.history.header, run.history.records)}
        if run.history.records
        else {}
        for run in runs
    ]
    titles = list(dict.fromkeys(title for known in drawn for title in known))
    return [_overlay(title, runs, names, drawn, epochs) for title in titles]


def _overlay(
    title: str,
    runs: Sequence[JudgedRun],
    names: Sequence[str],
    drawn: Sequence[Mapping[str, Chart]],
    epochs: Sequence[int],
) -> Overlay:
    example = next(known[title] for known in drawn if title in known)
    known_labels = {
        curve.label for known in drawn if title in known for curve in known[title].curves
    }
    label = next((name for name in MAIN if name in known_labels), example.curves[0].label)
    labels = [label, *([BESIDE] if label == MAIN[0] and BESIDE in known_labels else [])]
    curves: list[Curve] = []
    styles: list[CurveStyle] = []
    for run, name, style, known in zip(runs, names, run_styles(len(runs)), drawn, strict=True):
        for wanted in labels:
            curve = next(
                (c for c in known[title].curves if c.label == wanted)
                if title in known
                else iter(()),
                None,
            )
            if curve is not None:
                is_beside = wanted == BESIDE
                told = f"{name}, training" if is_beside else name
                curves.append(Curve(told, _spread(run, curve, epochs)))
                styles.append(replace(style, dashes="1 3") if is_beside else style)
    chart = Chart(title, tuple(curves), is_logarithmic=example.is_logarithmic)
    said = f"{label}; dotted: {BESIDE}" if len(labels) > 1 else label
    return Overlay(title, said, line_chart(chart, epochs, styles=styles), example.is_inner)


def _spread(run: JudgedRun, curve: Curve, epochs: Sequence[int]) -> tuple[float | None, ...]:
    """The values of a curve at the epochs of all runs."""
    own = [record.epoch for record in run.history.records]
    known = dict(zip(own, curve.values, strict=True))
    return tuple(known.get(epoch) for epoch in epochs)
