"""What another ``free_bits`` would mean: for this posterior, and for training.

The static answer is arithmetic on the logged distribution, or bounds where only
averages were logged. The prediction is what training does with another
allowance: where the KL is pinned it follows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.figures import figure, percent
from latentvqa.core.histogram import KLAfterBounds, kl_after_at
from latentvqa.core.kl_precision import counts_as_zero
from latentvqa.core.records import EpochRecord, RunHeader, SplitMetrics
from latentvqa.core.rules.information import information_of
from latentvqa.core.rules.rule import RunView, finite, kl_split, views
from latentvqa.core.rules.thresholds import KLHealthThresholds

# Allowances of the table, in nats of a kl_token that is a mean over dimensions.
GRID = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class StaticRow:
    """The penalty of one logged posterior under one allowance, as bounds.

    Attributes:
        free_bits: the allowance, in nats of ``kl_token``.
        kl_after_low: least possible ``kl_after``, in nats.
        kl_after_high: most possible; equal where the answer is exact.
        reduction_low: least possible share taken away by free bits.
        reduction_high: most possible.
    """

    free_bits: float
    kl_after_low: float
    kl_after_high: float
    reduction_low: float
    reduction_high: float


@dataclass(frozen=True)
class Prediction:
    """Where ``kl_raw`` will go in training.

    Attributes:
        kl_raw_low: lower end, in nats; None where nothing is predicted.
        kl_raw_high: upper end.
        sentence: the same in words, with the reason.
    """

    sentence: str
    kl_raw_low: float | None = None
    kl_raw_high: float | None = None


@dataclass(frozen=True)
class WhatIf:
    """Both answers for one allowance.

    Attributes:
        free_bits: the allowance tried, in nats of ``kl_token``.
        epoch: epoch whose posterior was used; None without one.
        is_exact: whether a distribution was logged, so that only one bin is unsure.
        row: the static answer for ``free_bits``; None where nothing was logged.
        table: the same for other allowances, rising, the present one among them.
        prediction: what training will do; None where nothing was logged.
        sentence: everything in words.
    """

    free_bits: float
    epoch: int | None = None
    is_exact: bool = False
    row: StaticRow | None = None
    table: tuple[StaticRow, ...] = ()
    prediction: Prediction | None = None
    sentence: str = ""


def what_if_free_bits(
    header: RunHeader,
    records: Sequence[EpochRecord],
    free_bits: float,
    thresholds: KLHealthThresholds | None = None,
) -> WhatIf:
    """Reckon another allowance on the last epoch that can tell.

    Args:
        header: what the run was made with.
        records: its epochs, in order.
        free_bits: allowance to try, in nats of ``kl_token``.
        thresholds: limits of the rules; the defaults without one.

    Returns:
        Both answers, or a sentence that says why there is none.

    Raises:
        ValueError: if ``free_bits`` is negative or not finite.
    """
    if not math.isfinite(free_bits) or free_bits < 0.0:
        raise ValueError(f"free_bits must be finite and 0 or more, got {free_bits}")
    for view in reversed(views(header, records, thresholds or KLHealthThresholds())):
        split = _split_to_use(view.record)
        if split is None:
            continue
        wanted = {free_bits, *(value * header.kl.unit_scale for value in GRID)}
        wanted |= set() if "free_bits" in header.kl.unknown else {header.kl.free_bits}
        table = tuple(_static(split, header, value) for value in sorted(wanted))
        row = next(row for row in table if row.free_bits == free_bits)
        prediction = _predict(view, free_bits)
        is_exact = _has_histogram(split)
        sentence = _sentence(view.record.epoch, row, is_exact, prediction)
        return WhatIf(free_bits, view.record.epoch, is_exact, row, table, prediction, sentence)
    return WhatIf(free_bits, sentence="The log holds no kl_raw to try it on.")


def kl_after_bounds(
    kl_raw: float, kl_after: float | None, logged_free_bits: float | None, free_bits: float
) -> KLAfterBounds:
    """Bounds on ``kl_after`` under another allowance, from averages alone.

    A mean of hinges is never below the hinge of the mean, and lowering the
    allowance by d adds at most d to every hinge.

    Args:
        kl_raw: mean ``kl_token``, in nats.
        kl_after: its mean hinge at ``logged_free_bits``; None if not logged.
        logged_free_bits: allowance of the run; None if not known.
        free_bits: allowance to try.

    Returns:
        ``max(kl_raw - l, 0)`` and ``min(kl_raw, kl_after + max(l0 - l, 0))``.
    """
    low = max(kl_raw - free_bits, 0.0)
    high = kl_raw
    if kl_after is not None and logged_free_bits is not None:
        high = min(kl_raw, kl_after + max(logged_free_bits - free_bits, 0.0))
    return KLAfterBounds(low, max(low, high))


def _static(split: SplitMetrics, header: RunHeader, free_bits: float) -> StaticRow:
    raw = finite(split.kl_raw) or 0.0
    if split.kl_histogram is not None and _has_histogram(split):
        low, high = kl_after_at(split.kl_histogram, free_bits)
        raw = sum(split.kl_histogram.sums) / sum(split.kl_histogram.counts)
    else:
        logged = None if "free_bits" in header.kl.unknown else header.kl.free_bits
        low, high = kl_after_bounds(raw, finite(split.kl_after), logged, free_bits)
    cuts = (max(1.0 - high / raw, 0.0), max(1.0 - low / raw, 0.0))
    return StaticRow(free_bits, low, high, *cuts)


def _predict(view: RunView, free_bits: float) -> Prediction:
    """Where training will take the KL under another allowance."""
    kl, limits, split = view.header.kl, view.thresholds, kl_split(view.record)
    raw, weight = finite(split.kl_raw), finite(view.record.effective_kl_weight)
    if raw is None or "free_bits" in kl.unknown:
        lacking = "kl_raw" if raw is None else "free_bits"
        return Prediction(f"Training is not predicted: the log does not say {lacking}.")
    if not view.has_kl or weight == 0.0:
        return Prediction("In training nothing changes: the KL has no price.", raw, raw)
    old, low, high = kl.free_bits, limits.pinned_low, limits.pinned_high
    is_pinned = old > 0.0 and low * old <= raw <= high * old
    is_free = counts_as_zero(split, limits) is True and raw < low * old
    if free_bits == 0.0 and old > 0.0:
        return Prediction(
            "In training the constraint would be gone and the price alone decide: the KL is not "
            "predicted, and may collapse."
        )
    if is_free and free_bits >= raw:
        return Prediction(
            f"In training nothing changes: kl_raw {figure(raw)} does not use up either allowance.",
            raw,
            raw,
        )
    if is_pinned or is_free:
        return _follow(view, raw, free_bits)
    ends = sorted((raw, max(raw + free_bits - old, 0.0)))
    return Prediction(
        f"In training the price holds the KL, not the allowance: kl_raw between "
        f"{figure(ends[0])} and {figure(ends[1])}.",
        ends[0],
        ends[1],
    )


def _follow(view: RunView, raw: float, free_bits: float) -> Prediction:
    """Where a KL goes that only the allowance holds."""
    limits = view.thresholds
    reach = (limits.pinned_low * free_bits, limits.pinned_high * free_bits)
    if free_bits > view.header.kl.free_bits:
        most = max(raw, reach[1])
        return Prediction(
            f"In training the KL may rise, to at most {figure(most)}: nothing pulls it up but the "
            "answers.",
            raw,
            most,
        )
    goal = f"kl_raw {figure(reach[0])} to {figure(reach[1])}"
    room = _room(view, reach[1]) or f"and the reduction stays near {percent(1.0)}"
    return Prediction(f"In training the KL will follow: {goal}, {room}.", *reach)


def _room(view: RunView, kl_raw: float) -> str | None:
    """Why a KL is too small for the answers, if it is."""
    kl, need = view.header.kl, information_of(view).need
    rate = kl_raw * kl.tokens * (kl.dims if kl.reduction == "mean" else 1)
    if need is None or {"tokens", "dims", "reduction"} & set(kl.unknown) or rate >= need:
        return None
    return f"a rate of {figure(rate)} nats for answers that need {figure(need)}, so collapse"


def _sentence(epoch: int, row: StaticRow, is_exact: bool, prediction: Prediction) -> str:
    basis = "" if is_exact else " (bounds, since the log holds averages only)"
    after = between(figure(row.kl_after_low), figure(row.kl_after_high))
    cut = between(percent(row.reduction_low), percent(row.reduction_high))
    return (
        f"With free_bits {figure(row.free_bits)} the posterior of epoch {epoch} would have "
        f"kl_after {after} and a reduction of {cut}{basis}. {prediction.sentence}"
    )


def _split_to_use(record: EpochRecord) -> SplitMetrics | None:
    """Training, or validation where only that has a distribution, or else averages."""
    splits = (record.train, record.val)
    held = [split for split in splits if _has_histogram(split)]
    held += [split for split in splits if (finite(split.kl_raw) or 0.0) > 0.0]
    return held[0] if held else None


def _has_histogram(split: SplitMetrics) -> bool:
    histogram = split.kl_histogram
    if histogram is None or sum(histogram.counts) <= 0:
        return False
    return len(histogram.counts) == len(histogram.sums) == len(histogram.edges) + 1 and (
        math.isfinite(sum(histogram.sums)) and sum(histogram.sums) > 0.0
    )


def between(low: str, high: str) -> str:
    """Two ends as one text."""
    return low if low == high else f"{low} to {high}"
