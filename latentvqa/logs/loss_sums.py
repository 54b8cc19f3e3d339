"""How a log's total is made of its reconstruction and its KL, as far as arithmetic tells.

Only what holds in every record within the printed precision is said: a weight that
nobody logged, a KL that was weighted before it was logged, one with its sign turned,
one that is held at a capacity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from latentvqa.core.figures import figure
from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.core.rules.rule import finite
from latentvqa.logs.columns.fields import SPLITS
from latentvqa.logs.loss_points import (
    FEWEST,
    SLACK,
    Point,
    Rounding,
    Values,
    constant_weight,
    fits,
    is_telling,
    moves,
    points_of,
)

CONSTANT = 1e-4  # relative spread below which logged weights are one


@dataclass(frozen=True)
class LossSum:
    """What the arithmetic says.

    Attributes:
        notes: it in sentences.
        kl: from a KL as logged, and its record's weight, to the KL itself.
        weights: the weight of each record where it was inferred.
        is_capacity: whether the KL is held at a capacity.
    """

    notes: tuple[str, ...] = ()
    kl: Callable[[float, float], float] | None = None
    weights: tuple[float | None, ...] = ()
    is_capacity: bool = False


def loss_sum(
    records: Sequence[EpochRecord], capacity: Values, rounding: Rounding, *, has_others: bool
) -> LossSum:
    """What makes the total, from training values or else from validation.

    Args:
        records: as read.
        capacity: the capacity of each record, where one is logged.
        rounding: of the log.
        has_others: whether the log holds losses of another kind, which the total may add.
    """
    for split in SPLITS:
        points = points_of(records, capacity, rounding, split)
        known = [point for point in points if point is not None]
        if known and (found := _explained(known, points, has_others)) is not None:
            return found
    return LossSum()


def with_loss_sum(
    records: Sequence[EpochRecord], found: LossSum
) -> tuple[tuple[EpochRecord, ...], float]:
    """Records with the KL and the weights that the sum tells, and the scale of the KL."""
    done, scale = [], 1.0
    for at, record in enumerate(records):
        weight = found.weights[at] if found.weights else record.effective_kl_weight
        train, val = (_split(getattr(record, split), found, weight) for split in SPLITS)
        done.append(replace(record, train=train, val=val, effective_kl_weight=weight))
        if found.kl is not None and weight:
            scale = max(scale, abs(found.kl(1.0, weight)))
    return tuple(done), scale


def reconstruction_among(
    records: Sequence[EpochRecord], others: Mapping[str, Values], half_units: Mapping[str, float]
) -> str | None:
    """The one loss of unknown name that total and KL show to be the reconstruction."""
    found = []
    for name, values in others.items():
        points = [
            Point(total, rest, kl, None, None, half_units.get(name, 0.0) * 2.0 + 1e-9, 0.0)
            for record, rest in zip(records, values, strict=True)
            if (total := finite(record.train.total_loss)) is not None
            and (kl := finite(record.train.kl_raw)) is not None
            and rest is not None
        ]
        weight = constant_weight(points) if points and moves(points) else None
        if weight is not None and len(points) >= FEWEST and min(p.gap for p in points) > 0.0:
            found.append(name)
    return found[0] if len(found) == 1 else None


def _explained(
    points: list[Point], places: Sequence[Point | None], has_others: bool
) -> LossSum | None:
    if all(point.capacity is not None for point in points):
        return _at_capacity(points)
    if all(point.kl <= point.kl_slack for point in points) and points[-1].kl < 0.0:
        return _negated(points, places)
    logged = [point.weight for point in points]
    has_weights = all(weight is not None for weight in logged)
    if has_weights and fits(points, [weight or 0.0 for weight in logged]):
        return LossSum(weights=_filled(places, lambda p: p.weight or 0.0))
    if not is_telling(points):
        return None
    found = _weighted(points, places) if has_weights else None
    is_whole = not has_others and fits(points, [1.0] * len(points))
    if found is None and (is_whole or moves(points)):
        found = _steady(points, places)
    return found or (None if has_weights or has_others else _rising(points, places))


def _steady(points: list[Point], places: Sequence[Point | None]) -> LossSum | None:
    """Total = reconstruction + one weight x KL, whatever weight is logged."""
    weight = constant_weight(points)
    if weight is None:
        return None
    fact = f"total - reconstruction is {figure(weight)} x KL in every record"
    if points[-1].weight is not None:
        fact += f", not the logged weight {figure(points[-1].weight)}"
    return LossSum(
        (f"The KL's weight, from the log's sums: {fact}.",),
        weights=_filled(places, lambda _: weight),
    )


def _at_capacity(points: list[Point]) -> LossSum | None:
    """Total = reconstruction + weight x abs(KL - capacity)."""
    turned = [replace(p, kl=abs(p.kl - (p.capacity or 0.0)), capacity=None) for p in points]
    logged = [p.weight for p in points]
    weight = constant_weight(turned)
    is_logged = None not in logged and fits(turned, [w or 0.0 for w in logged])
    if not is_logged and weight is None:
        return None
    size = "weight" if weight is None else figure(weight)
    note = (
        f"The objective holds the KL at a capacity, {figure(points[-1].capacity)} at the end: "
        f"total = reconstruction + {size} x abs(KL - capacity) in every record."
    )
    return LossSum((note,), is_capacity=True)


def _negated(points: list[Point], places: Sequence[Point | None]) -> LossSum | None:
    """Total = reconstruction - weight x column: the KL was logged with its sign turned."""
    turned = [replace(p, kl=-p.kl) for p in points]
    logged = [p.weight for p in points]
    is_logged = None not in logged and fits(turned, [w or 0.0 for w in logged])
    weight = None if is_logged else constant_weight(turned)
    if not is_telling(turned) or (not is_logged and weight is None):
        return None
    size = "" if weight is None else f" with a weight of {figure(weight)}"
    return LossSum(
        (f"The KL is logged with its sign turned, as the total tells: it is read as -KL{size}.",),
        kl=lambda kl, _: -kl,
        weights=_filled(places, lambda p: (p.weight or 0.0) if is_logged else weight),
    )


def _weighted(points: list[Point], places: Sequence[Point | None]) -> LossSum | None:
    """Total = reconstruction + column, though a weight is logged beside it."""
    weights = [p.weight or 0.0 for p in points]
    if not fits(points, [1.0] * len(points)) or max(weights) <= 0.0:
        return None
    is_constant = max(weights) - min(weights) <= CONSTANT * max(weights)
    at_nothing = [p for p in points if p.weight == 0.0]
    is_of_weight = bool(at_nothing) and all(abs(p.kl) <= p.kl_slack for p in at_nothing)
    if not is_constant and not is_of_weight:
        return None
    return LossSum(
        (
            "The KL's column is weighted already, as total - reconstruction tells: it is read "
            "divided by the logged weight.",
        ),
        kl=lambda kl, weight: kl / weight if weight else kl,
        weights=_filled(places, lambda p: p.weight or 0.0),
    )


def _rising(points: list[Point], places: Sequence[Point | None]) -> LossSum | None:
    """A weight that rises as a warm-up does, where nothing else is in the total."""
    if len(points) < FEWEST + 1 or any(p.kl <= 0.0 for p in points) or not moves(points):
        return None
    weights = [max(p.gap, 0.0) / p.kl for p in points]
    largest = max(weights)
    errors = [
        (p.slack + w * p.kl_slack) / p.kl + SLACK * w for p, w in zip(points, weights, strict=True)
    ]
    is_exact = largest > 0.0 and max(errors) <= 0.05 * largest
    is_rising = all(
        later >= earlier - error
        for earlier, later, error in zip(weights, weights[1:], errors[1:], strict=False)
    )
    if not is_exact or not is_rising or any(p.gap < -p.slack for p in points):
        return None
    fact = f"{figure(weights[0])} to {figure(weights[-1])}"
    return LossSum(
        (f"The KL's weight, from the log's sums: total - reconstruction over KL, {fact}.",),
        weights=_filled(places, lambda p: float(f"{max(p.gap, 0.0) / p.kl:.4g}")),
    )


def _filled(
    places: Sequence[Point | None], weight: Callable[[Point], float | None]
) -> tuple[float | None, ...]:
    """A weight for every record; one without its parts has that of the record before."""
    last: float | None = None
    filled = []
    for point in places:
        last = last if point is None else weight(point)
        filled.append(last)
    return tuple(filled)


def _split(split: SplitMetrics, found: LossSum, weight: float | None) -> SplitMetrics:
    kl, total = finite(split.kl_raw), finite(split.total_loss)
    if kl is None:
        return split
    if found.kl is not None:
        kl = found.kl(kl, weight or 0.0)
    share = split.kl_share
    if found.weights and share is None and weight is not None and total is not None and total > 0.0:
        share = weight * kl / total
    return replace(split, kl_raw=kl, kl_share=share)
