"""What another ``free_bits`` would have cost at the last epoch, same posterior.

A static figure: a run trained with that allowance moves its KL towards it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.findings import figure, finite, percent
from latentvqa.core.histogram import kl_after_at
from latentvqa.core.records import EpochRecord, SplitMetrics


@dataclass(frozen=True)
class WhatIf:
    """Bounds on the penalty under another allowance.

    Attributes:
        free_bits: the allowance tried, in nats of ``kl_token``.
        epoch: epoch whose distribution was used; None without one.
        kl_after_low: least possible ``kl_after``, in nats.
        kl_after_high: most possible.
        reduction_low: least possible share taken away by free bits.
        reduction_high: most possible.
        sentence: the same in words.
    """

    free_bits: float
    epoch: int | None = None
    kl_after_low: float | None = None
    kl_after_high: float | None = None
    reduction_low: float | None = None
    reduction_high: float | None = None
    sentence: str = ""


def what_if_free_bits(records: Sequence[EpochRecord], free_bits: float) -> WhatIf:
    """Reckon the penalty of the last epoch whose distribution was logged.

    Args:
        records: epochs, in order.
        free_bits: allowance to try, in nats of ``kl_token``.

    Returns:
        Bounds, or a sentence that says why there are none.

    Raises:
        ValueError: if ``free_bits`` is negative or not finite.
    """
    for record in reversed(records):
        split = _split_with_histogram(record)
        if split is None or split.kl_histogram is None:
            continue
        histogram = split.kl_histogram
        low, high = kl_after_at(histogram, free_bits)
        raw = sum(histogram.sums) / sum(histogram.counts)
        if finite(raw) is None or raw <= 0.0 or finite(high) is None:
            continue
        reductions = max(1.0 - high / raw, 0.0), max(1.0 - low / raw, 0.0)
        sentence = (
            f"With free_bits {figure(free_bits)} the posterior of epoch {record.epoch} would have "
            f"kl_after {_between(figure(low), figure(high))} and a reduction of "
            f"{_between(*(percent(share) for share in reductions))}. This is static: in training "
            "the KL follows free_bits."
        )
        return WhatIf(free_bits, record.epoch, low, high, *reductions, sentence)
    return WhatIf(free_bits, sentence="The log holds no distribution of kl_token to try it on.")


def _split_with_histogram(record: EpochRecord) -> SplitMetrics | None:
    """Training, or validation where only that has a filled histogram."""
    for split in (record.train, record.val):
        if split.kl_histogram is not None and sum(split.kl_histogram.counts) > 0:
            return split
    return None


def _between(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
