"""What a KL as printed by another tool can and cannot tell: rounding, sampling, floors.

Named questions about the judged record and its past; nothing here is a rule.
"""

from __future__ import annotations

from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.core.rules.rule import RunView, finite, kl_split
from latentvqa.core.rules.thresholds import KLHealthThresholds

MOST_DIMENSIONS = 10_000  # of a latent whose convention is unknown
FALLEN = 100.0  # times below its highest value that a KL lies which is no matter of a weight
FLOOR_RECORDS = 5  # records in a row that show the very same value at a floor
FLOOR_PRECISION = 5e-3  # nats; a coarser print makes any settled KL look like a floor
EXACT_PRECISION = 5e-5  # nats; no KL that moves shows the same value so finely
SAMPLED_RECORDS = 3  # records that must all be negative before a sign is doubted


def holds_kl(record: EpochRecord) -> bool:
    """Whether an epoch holds a KL or a rate of the posterior, on either split."""
    held = [(split.kl_raw, split.kl_after, split.rate) for split in (record.train, record.val)]
    return any(value is not None for values in held for value in values)


def kl_values(view: RunView) -> list[float]:
    """The KL of each record up to the judged one, as far as it is finite."""
    raws = (finite(kl_split(record).kl_raw) for record in view.records[: view.index + 1])
    return [raw for raw in raws if raw is not None]


def most_kl(view: RunView, raw: float) -> float:
    """The largest KL that can be printed as this one."""
    half = view.header.kl_resolution
    return raw + half if abs(raw) <= 2.0 * half else raw


def is_below_precision(view: RunView) -> bool:
    """Whether the judged KL is no more than a one in its last printed digit."""
    raw = finite(kl_split(view.record).kl_raw)
    return raw is not None and abs(raw) <= 2.0 * view.header.kl_resolution


def is_scattered(view: RunView) -> bool:
    """Whether the KL takes both signs and its mean is no larger than its scatter."""
    values = kl_values(view)
    if view.header.is_own or not values or min(values) >= 0.0:
        return False
    if max(values) <= 0.0:
        return len(values) < SAMPLED_RECORDS
    late = values[-max(len(values) // 2, SAMPLED_RECORDS) :]
    return max(late) > 0.0 and abs(sum(late)) / len(late) <= max(late) - min(late)


def is_sampled(view: RunView) -> bool:
    """Whether a negative KL can be the estimate of a small one: some are above 0 as well."""
    values = kl_values(view)
    return is_scattered(view) or (
        not view.header.is_own and bool(values) and max(values) >= -min(values)
    )


def has_fallen(view: RunView) -> bool:
    """Whether the KL lies so far below its highest value that no constant weight explains it."""
    values = kl_values(view)
    return bool(values) and max(values) >= FALLEN * most_kl(view, values[-1]) > 0.0


def is_perhaps_weighted(view: RunView) -> bool:
    """Whether a tiny KL of another tool may have been multiplied by a weight all along."""
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None or view.header.is_own or view.header.kl.is_assumed:
        return False
    is_tiny = 0.0 <= MOST_DIMENSIONS * raw < view.thresholds.collapse_rate
    return (
        is_tiny and view.missing("reduction", "tokens", "dims") is not None and not has_fallen(view)
    )


def floor_of(view: RunView) -> float | None:
    """The free allowance that holds the KL of another tool, as max(KL, allowance) prints it.

    It stays the same to the last digit while the loss beside it moves. A value that
    is not round must have been there from the first record on.
    """
    every = kl_values(view)
    values, half = every[-FLOOR_RECORDS:], view.header.kl_resolution
    if view.header.is_own or len(values) < FLOOR_RECORDS or len(set(values)) > 1:
        return None
    value = values[-1]
    digits = 1 if half <= FLOOR_PRECISION / 10.0 else 0
    is_round = half <= FLOOR_PRECISION and abs(value - round(value, digits)) <= 1e-9 * value
    was_always = half <= EXACT_PRECISION and len(set(every)) == 1
    is_held = value > 0.0 and (is_round or was_always) and _has_moved(view)
    return value if is_held else None


def _has_moved(view: RunView) -> bool:
    """Whether any loss beside the KL moved while it stood still; true where none is logged."""
    past = [kl_split(record) for record in view.last(FLOOR_RECORDS)]
    names = ("answer_loss", "answer_nll", "total_loss")
    losses = [[getattr(split, name) for split in past] for name in names]
    known = [held for held in losses if None not in held]
    return not known or any(len(set(held)) > 1 for held in known)


def counts_as_zero(split: SplitMetrics, thresholds: KLHealthThresholds) -> bool | None:
    """Whether ``kl_after`` is so small a share of ``kl_raw`` that it counts as 0."""
    raw, after = finite(split.kl_raw), finite(split.kl_after)
    if raw is None or after is None:
        return None
    return after <= 0.0 or after < thresholds.zero_kl_share * raw
