"""What an exchange of latents or images does to the answers, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from latentvqa.core.estimates import Estimate

_Share = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]

_NARROWER = 1.644854 / 1.959964  # half widths of 90 and 95 % of a normal distribution


class ExchangeLimits(BaseModel):
    """Limits of the latent-use test: the ``[latent_use]`` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: _Share = Field(
        default=0.01, description="exact match that a harmless exchange costs at most, a fraction"
    )
    flips: _Share = Field(
        default=0.05, description="share of answers that a harmless exchange changes at most"
    )
    nats: Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)] = Field(
        default=0.05, description="nats per answer that a harmless exchange costs at most"
    )
    used_share: _Share = Field(
        default=0.5,
        description="share of the lead over the best model without images that the exchange of "
        "images must cost for the image to count as used",
    )
    followed_share: _Share = Field(
        default=0.5,
        description="share of the changed answers that must become those about the other image",
    )


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
