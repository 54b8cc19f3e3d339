"""Total, reconstruction and KL of each record, and what their sum can tell.

A weight is only said where it makes every sum within the printed precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.core.rules.rule import finite
from latentvqa.logs.columns.fields import Field

SLACK = 0.02  # share of the KL's term: weight and KL move inside an epoch
SIGNIFICANT = 2.0  # times the rounding that a term must exceed to tell anything
FEWEST = 3  # records that a sum must hold in where nothing else speaks for it
MOVED = 1.1  # times its lowest that a KL must reach to be told from a constant term

Values = Sequence[float | None]


@dataclass(frozen=True)
class Point:
    """One record's total, reconstruction and KL, its logged weight and capacity."""

    total: float
    rest: float
    kl: float
    weight: float | None
    capacity: float | None
    slack: float
    kl_slack: float

    @property
    def gap(self) -> float:
        """What the KL's term must be."""
        return self.total - self.rest


@dataclass(frozen=True)
class Rounding:
    """By how much a log rounds its values, by field, in nats."""

    half_units: Mapping[Field, float] = field(default_factory=dict)

    def of(self, split: str, attribute: str) -> float:
        """Half a unit of the last printed decimal."""
        return self.half_units.get(Field(split, attribute), 0.0)  # type: ignore[arg-type]


def points_of(
    records: Sequence[EpochRecord], capacity: Values, rounding: Rounding, split: str
) -> list[Point | None]:
    """One point per record; None where it lacks a part."""
    points: list[Point | None] = []
    for at, record in enumerate(records):
        held: SplitMetrics = getattr(record, split)
        rest_name = "answer_nll" if held.answer_loss is None else "answer_loss"
        total, kl = finite(held.total_loss), finite(held.kl_raw)
        rest = finite(getattr(held, rest_name))
        if total is None or rest is None or kl is None:
            points.append(None)
            continue
        slack = rounding.of(split, "total_loss") + rounding.of(split, rest_name)
        slack += 1e-9 * (abs(total) + abs(rest))
        weight = record.effective_kl_weight
        weight = record.kl_weight if weight is None else weight
        held_at = capacity[at] if at < len(capacity) else None
        kl_slack = rounding.of(split, "kl_raw")
        points.append(Point(total, rest, kl, finite(weight), held_at, slack, kl_slack))
    return points


def moves(points: Sequence[Point]) -> bool:
    """Whether the KL moves, so that its term is told from other terms of the total."""
    values = [abs(point.kl) for point in points]
    return max(values) > MOVED * min(values)


def is_telling(points: Sequence[Point]) -> bool:
    """Whether the terms exceed the rounding, so that their sum says anything."""
    return any(abs(p.gap) > SIGNIFICANT * p.slack for p in points)


def fits(points: Sequence[Point], weights: Sequence[float]) -> bool:
    """Whether these weights make every sum."""
    return all(
        abs(p.gap - w * p.kl) <= p.slack + abs(w) * (p.kl_slack + SLACK * abs(p.kl))
        for p, w in zip(points, weights, strict=True)
    )


def constant_weight(points: Sequence[Point]) -> float | None:
    """The one weight above 0 that makes every sum, or None."""
    telling = [p for p in points if p.kl > 0.0 and abs(p.gap) > SIGNIFICANT * p.slack]
    if not telling or 2 * len(telling) < len(points):
        return None
    weight = median(p.gap / p.kl for p in telling)
    if weight <= 0.0 or not fits(points, [weight] * len(points)):
        return None
    if len(points) < FEWEST and len(telling) < 2:
        return None
    return _roundest(points, weight)


def _roundest(points: Sequence[Point], weight: float) -> float:
    """The weight with the fewest digits that the rounding of the log allows."""
    for digits in (1, 2):
        short = float(f"{weight:.{digits}g}")
        if all(abs(p.gap - short * p.kl) <= p.slack + short * p.kl_slack for p in points):
            return short
    return float(f"{weight:.3g}")
