"""What an exchange of latents or images does to the answers, as measured."""

from __future__ import annotations

from dataclasses import dataclass

from latentvqa.core.estimates import Estimate

_NARROWER = 1.644854 / 1.959964  # half widths of 90 and 95 % of a normal distribution


@dataclass(frozen=True)
class ExchangeLimits:
    """What an exchange may do and still be harmless.

    Attributes:
        margin: exact match that it costs, as a fraction.
        flips: share of answers that it changes.
        nats: answer loss that it adds, per answer.
    """

    margin: float = 0.01
    flips: float = 0.05
    nats: float = 0.05


@dataclass(frozen=True)
class Span:
    """A measured value with the ends of its intervals.

    Attributes:
        value: the measure.
        low: lower end of the 95 % interval.
        high: its upper end.
        low_90: lower end of the 90 % interval, the one of two one-sided 5 % tests.
        high_90: its upper end.
    """

    value: float
    low: float
    high: float
    low_90: float
    high_90: float

    @classmethod
    def of(cls, estimate: Estimate) -> Span:
        """An estimate over two images or more; 90 % of it as the normal distribution has it."""
        value, low, high = estimate.value, estimate.low, estimate.high
        if low is None or high is None:
            raise ValueError("an estimate from one image has no ends")
        near = value - _NARROWER * (value - low), value + _NARROWER * (high - value)
        return cls(value, low, high, *near)


@dataclass(frozen=True)
class Exchange:
    """What an exchange does to the answers, row by row against the untouched model.

    Attributes:
        cost: exact match that is lost, as a fraction.
        nats: answer loss that is added, per answer.
        flips: share of answers that change.
        is_identical: no answer changes, and no loss by a hundredth of a nat, in any row.
    """

    cost: Span
    nats: Span
    flips: float
    is_identical: bool = False
