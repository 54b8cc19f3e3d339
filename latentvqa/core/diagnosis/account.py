"""The information measures of a run, each with what it means for this run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from latentvqa.core.figures import figure, percent
from latentvqa.core.rules.information import (
    Information,
    are_answers_learnt,
    has_leak,
    information_of,
)
from latentvqa.core.rules.rule import RunView, finite


@dataclass(frozen=True)
class AccountLine:
    """One measure.

    Attributes:
        name: what is measured.
        value: the measure with its unit.
        meaning: one sentence on what it means for this run.
    """

    name: str
    value: str
    meaning: str


def information_account(view: RunView) -> tuple[AccountLine, ...]:
    """What is paid, needed, learnt and possible, as far as the log tells."""
    seen, lines = information_of(view), []
    rate = seen.rate if seen.rate is not None else finite(view.record.train.rate)
    beta = finite(view.record.beta)
    if rate is not None and view.has_latent:
        needed = _times_need(rate, seen)
        lines.append(
            AccountLine(
                "rate",
                f"{figure(rate)} nats ({figure(rate / math.log(2.0))} bits)",
                f"What the loss pays for, per example{needed}.",
            )
        )
    if beta is not None and view.has_latent:
        share = f"A nat of rate costs as much as {figure(beta)} nats of answer loss"
        free = " once free bits are used up" if view.header.kl.free_bits > 0.0 else ""
        lines.append(AccountLine("beta", f"{figure(beta)} per nat", f"{share}{free}."))
    if seen.need is not None:
        lines.append(
            AccountLine(
                "answers need",
                f"{figure(seen.need)} nats",
                "The information the answers need, were they all learnt.",
            )
        )
    if seen.gain is not None and seen.need is not None:
        lines.append(
            AccountLine(
                "learnt",
                f"{figure(seen.gain)} nats",
                f"{percent(max(seen.gain, 0.0) / seen.need)} of what the answers need, "
                f"{_judged(view)}.",
            )
        )
    if seen.image_gain is not None and seen.need is not None:
        lines.append(
            AccountLine(
                "by the image",
                f"{figure(seen.image_gain)} nats",
                "What is learnt beyond the best model that sees no image.",
            )
        )
    if seen.bound is not None and view.has_latent:
        at = "" if seen.temperature is None else f" at t = {figure(seen.temperature)}"
        wide = _times_need(seen.bound, seen)
        lines.append(
            AccountLine(
                "capacity",
                f"{figure(seen.bound)} nats{at}",
                f"The most that the latent can carry to the decoder{wide}.",
            )
        )
    return tuple(lines)


def _times_need(nats: float, seen: Information) -> str:
    return "" if seen.need is None else f", {figure(nats / seen.need)} times what the answers need"


def _judged(view: RunView) -> str:
    """What the gain amounts to; a gain that went around the latent is no success of it."""
    if has_leak(view):
        return "more than the latent can have carried"
    return "enough to call them learnt" if are_answers_learnt(view) else "not learnt yet"
