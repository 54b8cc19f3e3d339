"""What is drawn: the same curves for the picture file and for the page.

Bands and lines come from the run's thresholds and header, so that plot and rule
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.rule import LEVELS, Level, finite, kl_split
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.report.diagnosis.columns import LEARNT, NEED, NOT_CHARGED, finding_name

BAND = "rule-of-thumb band"
DASHES = ("", "6 3", "2 3", "8 3 2 3")  # curves differ without colour, too; pixels, as SVG has them
LARGEST = 1e12  # values beyond it are drawn at the edge


@dataclass(frozen=True)
class Curve:
    """One measure over the epochs; None where it is absent or not finite."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """Curves that share an axis.

    Attributes:
        title: what is shown, with the unit.
        curves: those of them that have a value.
        band: lower end, upper end and name of a range worth marking.
        lines: heights and names of lines worth marking.
        is_logarithmic: whether the axis is logarithmic.
        is_inner: whether it is about the KL and its schedule, not about what is learnt.
    """

    title: str
    curves: tuple[Curve, ...]
    band: tuple[float, float, str] | None = None
    lines: tuple[tuple[float, str], ...] = ()
    is_logarithmic: bool = False
    is_inner: bool = False

    @property
    def unit(self) -> str:
        """What the title names last."""
        return self.title.rpartition(", ")[2] if ", " in self.title else ""


@dataclass(frozen=True)
class StageSpan:
    """First and last epoch of a stage as it was run."""

    stage: str
    first: int
    last: int


@dataclass(frozen=True)
class Mark:
    """A finding on the epochs' axis.

    Attributes:
        code: stable short code.
        name: stable name.
        level: severity.
        first: epoch at which it starts.
        last: last epoch at which it holds.
        is_open: whether it holds at the end.
    """

    code: str
    name: str
    level: Level
    first: int
    last: int
    is_open: bool

    @property
    def label(self) -> str:
        """What stands beside the mark."""
        name = finding_name(self.name, self.level)
        return f"{self.code} {name}{'' if self.is_open else ' (past)'}"


def finding_marks(diagnosis: Diagnosis) -> tuple[Mark, ...]:
    """The findings of a run in the order of its diagnosis."""
    return tuple(
        Mark(f.code, f.name, f.level, *f.epochs, is_open=f.is_open) for f in diagnosis.findings
    )


@dataclass(frozen=True)
class Start:
    """Findings that start at one epoch: the most severe level, and the codes of that level."""

    epoch: int
    level: Level
    codes: tuple[str, ...]

    @property
    def is_remark(self) -> bool:
        """Whether none of them is more than a remark."""
        return self.level in ("ok", "info")


def starts(marks: Sequence[Mark]) -> tuple[Start, ...]:
    """The epochs at which findings start."""
    found = []
    for epoch in sorted({mark.first for mark in marks}):
        here = [mark for mark in marks if mark.first == epoch]
        level = max((mark.level for mark in here), key=LEVELS.index)
        codes = tuple(mark.code for mark in here if mark.level == level)
        found.append(Start(epoch, level, codes))
    return tuple(found)


def charts(
    header: RunHeader,
    records: Sequence[EpochRecord],
    thresholds: KLHealthThresholds | None = None,
) -> tuple[Chart, ...]:
    """The charts of a run that have something to show, those about the KL last."""
    limits, kl = thresholds or KLHealthThresholds(), header.kl
    scale = kl.unit_scale
    band = (limits.healthy_kl_low * scale, limits.healthy_kl_high * scale, BAND)
    aim = finite(header.target)
    target = () if aim is None else ((aim, "target"),)
    free_bits = ((kl.free_bits, "free_bits"),) if kl.free_bits > 0.0 else ()
    drawn = (
        Chart(
            "Answer loss, nats per token",
            (
                _curve("training", [r.train.answer_loss for r in records]),
                _curve("validation", [r.val.answer_loss for r in records]),
            ),
            lines=target,
        ),
        Chart(
            "Exact match, %",
            (
                _curve("training", [_percent(r.train.exact_match) for r in records]),
                _curve("validation", [_percent(r.val.exact_match) for r in records]),
            ),
        ),
        Chart(
            "Information per answer, nats",
            (
                _curve("paid (rate)", [r.val.rate for r in records]),
                _curve("can be carried", [r.val.capacity for r in records]),
                _curve(NEED, [r.val.answer_entropy for r in records]),
                _curve(LEARNT, [r.val.answer_gain for r in records]),
            ),
            is_logarithmic=True,
        ),
        Chart(
            "KL per latent token, nats",
            (
                _curve("before free bits", [kl_split(r).kl_raw for r in records]),
                _curve("after free bits", [kl_split(r).kl_after for r in records]),
            ),
            band=band,
            lines=free_bits,
            is_inner=True,
        ),
        Chart(
            f"KL {NOT_CHARGED}",
            (_curve("not charged", [_percent(kl_split(r).penalty_reduction) for r in records]),),
            band=(
                100.0 * limits.healthy_reduction_low,
                100.0 * limits.healthy_reduction_high,
                BAND,
            ),
            is_inner=True,
        ),
        Chart(
            "Rate, nats per example",
            (
                _curve("training", [r.train.rate for r in records]),
                _curve("validation", [r.val.rate for r in records]),
            ),
            is_inner=True,
        ),
        Chart(
            "Effective KL weight",
            (_curve("effective weight", [r.effective_kl_weight for r in records]),),
            is_inner=True,
        ),
        Chart(
            "beta, price per nat of rate",
            (_curve("beta", [r.beta for r in records]),),
            is_inner=True,
        ),
        Chart(
            "Latent temperature",
            (
                _curve("training", [r.train.temperature for r in records]),
                _curve("validation", [r.val.temperature for r in records]),
            ),
            is_inner=True,
        ),
    )
    return tuple(kept for kept in map(_without_empty, drawn) if kept.curves)


def free_row(taken: list[tuple[float, float, int]], low: float, high: float) -> int:
    """The first row in which a label from ``low`` to ``high`` hides no other; takes it."""
    rows = {row for start, end, row in taken if low < end and start < high}
    row = next(place for place in range(len(rows) + 1) if place not in rows)
    taken.append((low, high, row))
    return row


def stage_spans(records: Sequence[EpochRecord]) -> tuple[StageSpan, ...]:
    """Stretches of epochs in one stage."""
    spans: list[StageSpan] = []
    for record in records:
        if spans and spans[-1].stage == record.stage:
            spans[-1] = StageSpan(record.stage, spans[-1].first, record.epoch)
        else:
            spans.append(StageSpan(record.stage, record.epoch, record.epoch))
    return tuple(spans)


def _curve(label: str, values: Sequence[float | None]) -> Curve:
    return Curve(label, tuple(finite(value) for value in values))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _without_empty(chart: Chart) -> Chart:
    kept = tuple(curve for curve in chart.curves if any(v is not None for v in curve.values))
    return replace(chart, curves=kept)
