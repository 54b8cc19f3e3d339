"""What a log's own columns tell about its KL, and what follows from what is known.

Only arithmetic: nothing is reckoned from a value that is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from latentvqa.core.figures import figure
from latentvqa.core.records import EpochRecord, KLConvention, SplitMetrics
from latentvqa.core.rules.rule import finite
from latentvqa.logs.columns.fields import METRICS, SPLITS

ALL_FACTS = ("reduction", "tokens", "dims", "free_bits", "factor", "max_weight")
SAME_WEIGHT = 1e-6  # relative difference below which two weights are one

# what a health rule would like to see, and on which split
_LOSSES_AND_KL = ("total_loss", "answer_loss", "kl_raw", "kl_after", "rate")
_INFORMATION = ("answer_nll", "information_bound", "answer_entropy", "active_units", "exact_match")
WANTED = {"train": _LOSSES_AND_KL, "val": (*_LOSSES_AND_KL, *_INFORMATION)}
WANTED_WEIGHTS = ("kl_weight", "effective_kl_weight")


def research_convention(records: Sequence[EpochRecord]) -> tuple[KLConvention, list[str]]:
    """The default recipe's convention, with the weights that the log gives.

    Returns:
        The convention and a note per value that the log gives.
    """
    known = known_by_weights(records)
    notes = [f"From the log's own weights: {_facts(known)}."] if known else []
    return replace(KLConvention(is_assumed=True), **known), notes


def foreign_convention(records: Sequence[EpochRecord]) -> tuple[KLConvention, list[str]]:
    """A convention of which only the weights can be known."""
    known = known_by_weights(records)
    unknown = tuple(name for name in ALL_FACTS if name not in known)
    notes = [f"From the log's own weights: {_facts(known)}."] if known else []
    return replace(KLConvention(), **known, unknown=unknown), notes


def known_by_weights(records: Sequence[EpochRecord]) -> dict[str, Any]:
    """``factor`` and ``max_weight`` as far as the weight columns tell them.

    The factor is the effective over the scheduled weight where both are above 0;
    the largest weight counts once it was held for two epochs. A log with the
    effective weight alone has no schedule beside it: factor 1.
    """
    scheduled = [_weight(record.kl_weight) for record in records]
    effective = [_weight(record.effective_kl_weight) for record in records]
    known: dict[str, Any] = {}
    ratios = sorted(e / w for w, e in zip(scheduled, effective, strict=True) if w and e)
    if ratios and math.isfinite(middle := ratios[len(ratios) // 2]):
        known["factor"] = float(f"{middle:.6g}")
    elif any(effective) and not any(scheduled):
        known["factor"] = 1.0
    held = _held(scheduled if any(scheduled) else effective)
    return known if held is None else {**known, "max_weight": held}


def with_consequences(
    records: Sequence[EpochRecord], kl: KLConvention
) -> tuple[tuple[EpochRecord, ...], list[str]]:
    """Fill in what definitions give: rate, kl_after without free bits, share, gain.

    Returns:
        The records and a note on what was reckoned.
    """
    filled = tuple(_filled(record, kl) for record in records)
    reckoned = [
        name
        for name in ("rate", "kl_after", "kl_share", "answer_gain")
        if any(
            _holds(new, split, name) and not _holds(old, split, name)
            for old, new in zip(records, filled, strict=True)
            for split in SPLITS
        )
    ]
    notes = [f"Reckoned from the log's other values: {', '.join(reckoned)}."] if reckoned else []
    return filled, notes


def with_rates(
    records: Sequence[EpochRecord], kl: KLConvention
) -> tuple[tuple[EpochRecord, ...], list[str]]:
    """Fill in the rate alone, for a log of our own.

    Returns:
        The records and a note if a rate was reckoned.
    """
    filled = tuple(
        replace(
            record,
            train=replace(record.train, rate=rate_of(record.train, kl)),
            val=replace(record.val, rate=rate_of(record.val, kl)),
        )
        for record in records
    )
    is_new = any(_rates(old) != _rates(new) for old, new in zip(records, filled, strict=True))
    return filled, ["Reckoned from the log's kl_raw: rate."] if is_new else []


def rate_of(split: SplitMetrics, kl: KLConvention) -> float | None:
    """The rate of a split: as logged, else from kl_raw where its convention is known."""
    if split.rate is not None or split.kl_raw is None:
        return split.rate
    terms = {"reduction", "tokens", "dims"} if kl.reduction == "mean" else {"reduction", "tokens"}
    if terms & set(kl.unknown):
        return None
    return split.kl_raw * kl.tokens * (kl.dims if kl.reduction == "mean" else 1)


def _rates(record: EpochRecord) -> list[bool]:
    return [getattr(record, split).rate is None for split in SPLITS]


def lacks(records: Sequence[EpochRecord]) -> str | None:
    """One line on the measures that no record holds."""
    missing = {
        split: [
            name
            for name in wanted
            if all(getattr(getattr(r, split), name) is None for r in records)
        ]
        for split, wanted in WANTED.items()
    }
    both = [name for name in missing["train"] if name in missing["val"]]
    parts = [name for name in METRICS.values() if name in both]
    parts += [f"train {name}" for name in missing["train"] if name not in both]
    for name in missing["val"]:
        if name not in both:
            parts.append(f"validation {name}" if name in WANTED["train"] else name)
    parts += [name for name in WANTED_WEIGHTS if all(getattr(r, name) is None for r in records)]
    return f"The log lacks: {', '.join(parts)}." if parts else None


def _holds(record: EpochRecord, split: str, name: str) -> bool:
    return getattr(getattr(record, split), name) is not None


def _filled(record: EpochRecord, kl: KLConvention) -> EpochRecord:
    scheduled, weight = record.kl_weight, record.effective_kl_weight
    if "factor" not in kl.unknown and kl.factor > 0.0:
        if weight is None and scheduled is not None:
            weight = scheduled * kl.factor
        elif scheduled is None and weight is not None:
            scheduled = weight / kl.factor
    train, val = (_split(getattr(record, split), kl, weight) for split in SPLITS)
    return replace(record, train=train, val=val, kl_weight=scheduled, effective_kl_weight=weight)


def _split(split: SplitMetrics, kl: KLConvention, weight: float | None) -> SplitMetrics:
    found: dict[str, float] = {}
    raw, after = split.kl_raw, split.kl_after
    if kl.free_bits == 0.0 and "free_bits" not in kl.unknown:
        raw = after if raw is None else raw
        after = raw if after is None else after
        found |= {name: v for name, v in (("kl_raw", raw), ("kl_after", after)) if v is not None}
    rate = rate_of(replace(split, kl_raw=raw), kl)
    found |= {} if rate is None else {"rate": rate}
    total = finite(split.total_loss)
    if split.kl_share is None and None not in (after, weight) and total is not None and total > 0:
        found["kl_share"] = (weight or 0.0) * (after or 0.0) / total
    if split.answer_gain is None and split.answer_entropy is not None:
        nll = split.answer_nll
        found |= {} if nll is None else {"answer_gain": split.answer_entropy - nll}
    return replace(split, **found)  # type: ignore[arg-type]


def _held(weights: Sequence[float]) -> float | None:
    """The largest weight, if two records in a row have it."""
    largest = max(weights, default=0.0)
    near = [weight > 0.0 and weight >= largest * (1.0 - SAME_WEIGHT) for weight in weights]
    is_held = any(a and b for a, b in pairwise(near))
    return float(f"{largest:.6g}") if is_held else None


def _weight(value: float | None) -> float:
    held = finite(value)
    return held if held is not None and held > 0.0 else 0.0


def _facts(known: dict[str, float]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in known.items())
