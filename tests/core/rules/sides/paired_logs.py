"""Made-up logs that come in pairs, a hair apart in one value.

Limits are computed from the thresholds as the rules compute them; where a rule
reckons further than that, the step is a billionth instead of the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from latentvqa.core.histogram import histogram_edges
from latentvqa.core.records import EpochRecord, RunHeader, TeacherCounts
from latentvqa.core.rules.rule import Advice
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.test_histogram import fill
from tests.runs import HEADER, KL, make_epoch, make_run

Log = tuple[RunHeader, list[EpochRecord]]
LIMITS = KLHealthThresholds()
NEED = 1.7  # H(A) of the made-up runs
RAW = 0.05  # kl_raw of a pair that varies kl_after
LEAST = 5e-324


@dataclass(frozen=True)
class Pair:
    """Two logs of one builder.

    Attributes:
        log: the log that a value makes.
        holds: value at which the rule speaks.
        beyond: the nearest sensible value at which it does not.
        limits: thresholds of both.
    """

    log: Callable[[Any], Log]
    holds: float
    beyond: float
    limits: KLHealthThresholds = LIMITS


def below(limit: float) -> float:
    return math.nextafter(limit, -math.inf)


def above(limit: float) -> float:
    return math.nextafter(limit, math.inf)


def under(log: Callable[[Any], Log], limit: float, **more: Any) -> Pair:
    """The rule speaks below the limit and not at it."""
    return Pair(log, below(limit), limit, **more)


def over(log: Callable[[Any], Log], limit: float, **more: Any) -> Pair:
    """The rule speaks above the limit and not at it."""
    return Pair(log, above(limit), limit, **more)


def least(log: Callable[[Any], Log], limit: float) -> Pair:
    """The rule speaks at the limit and not below it."""
    return Pair(log, limit, below(limit))


def most(log: Callable[[Any], Log], limit: float) -> Pair:
    """The rule speaks at the limit and not above it."""
    return Pair(log, limit, above(limit))


def falling(log: Callable[[Any], Log], limit: float, **more: Any) -> Pair:
    """The rule speaks a billionth below what it reckons with, not a billionth above."""
    return Pair(log, limit * (1.0 - 1e-9), limit * (1.0 + 1e-9), **more)


def rising(log: Callable[[Any], Log], limit: float, **more: Any) -> Pair:
    """The rule speaks a billionth above what it reckons with, not a billionth below."""
    return Pair(log, limit * (1.0 + 1e-9), limit * (1.0 - 1e-9), **more)


def carries(bound: float, gain: float, epochs: int = 14, **more: Any) -> Log:
    carried = {"information_bound": bound, "answer_gain": gain, "answer_entropy": NEED, **more}
    return HEADER, make_run(epochs, val=carried)


def gained(train: float, val: float, epochs: int = 14, **more: Any) -> Log:
    """What is learnt of training and of validation answers, beyond their frequencies."""
    measured = {"answer_gain": val, "prior_nll": NEED, "image_gain": 1.0, **more}
    return HEADER, make_run(epochs, train={"answer_gain": train}, val=measured)


def beside_blind(share: float, log: Log) -> Log:
    """The same with every answer right on 100 images, where a model without images has a share."""
    header, records = log
    header = replace(header, blind={"type": {"exact_match": share}}, data={"val": {"images": 100}})
    return header, [replace(r, val=replace(r.val, exact_match=1.0)) for r in records]


def trained(epochs: int = 14, header: RunHeader = HEADER, **train: Any) -> Log:
    return header, make_run(epochs, train=train)


def unmeasured(rate: float) -> Log:
    names = ("information_bound", "answer_entropy", "answer_gain", "active_units")
    return HEADER, make_run(14, val={**dict.fromkeys(names), "rate": rate})


def with_raws(*raws: float) -> Log:
    return HEADER, make_run(len(raws), lambda n: {"train": {"kl_raw": raws[n]}})


def foreign_raws(*raws: float) -> Log:
    """A log that does not say how its KL was made, at one and the same loss."""
    header = replace(HEADER, kl=replace(KL, unknown=("reduction", "tokens", "dims")), versions={})
    val = {"rate": None, "information_bound": None, "active_units": None}
    losses = {"answer_loss": 1.0, "total_loss": 1.0, "rate": None}
    return header, make_run(
        len(raws), lambda n: {"train": {"kl_raw": raws[n], **losses}, "val": val}
    )


def with_tail(count: int, after: float) -> Log:
    """So many of a thousand values at free_bits, the others far below."""
    values = [KL.free_bits / 2.0] * (1000 - count) + [KL.free_bits] * count
    histogram = fill(values, histogram_edges(KL.free_bits))
    return trained(kl_raw=RAW, kl_after=after, kl_histogram=histogram)


def with_tokens(first: float, others: float) -> Log:
    return trained(kl_tokens=(first, *[others] * 5))


def with_answers(
    epochs: int,
    train: Callable[[int], float],
    val: Callable[[int], float],
    header: RunHeader = HEADER,
    **changes: Any,
) -> Log:
    def vary(n: int) -> Mapping[str, Any]:
        return {"train": {"answer_loss": train(n)}, "val": {"answer_loss": val(n)}}

    return header, make_run(epochs, vary, **changes)


def stuck(
    epochs: int,
    best_epoch: int = 3,
    *,
    best: float = 0.85,
    val: float = 0.9,
    train: float = 0.7,
    header: RunHeader = HEADER,
    **changes: Any,
) -> Log:
    """Validation with one best; everything else flat."""
    return with_answers(
        epochs, lambda n: train, lambda n: best if n == best_epoch else val, header, **changes
    )


def overfitted(train: float, val: float = 1.0, best: float = 0.5) -> Log:
    return stuck(14, 11, train=train, val=val, best=best)


def too_fast(
    epochs: int = 14,
    best_epoch: int = 3,
    *,
    early: float = 0.1,
    from_epoch: int = 0,
    train: float = 0.1,
) -> Log:
    """Training answers fast from some epoch on, validation stops early far above it."""
    return with_answers(
        epochs,
        lambda n: 1.0 if n < from_epoch else early if n <= LIMITS.early_epoch else train,
        lambda n: 0.4 if n == best_epoch else 0.5,
    )


def parts(total: float, weight: float = 3.0) -> Log:
    train = {"total_loss": total, "answer_loss": 1.0, "kl_after": 0.1}
    return HEADER, [make_epoch(0, train=train, effective_kl_weight=weight)]


def taught(counts: TeacherCounts, loss: float = 0.0, weight: float = 0.3) -> Log:
    header = replace(HEADER, teacher_weight=weight)
    return header, make_run(
        16, lambda n: {"train": {"teacher_loss": loss}, "teacher": counts} if n >= 15 else {}
    )


def with_free_bits(free_bits: float) -> Log:
    return trained(header=replace(HEADER, kl=replace(KL, free_bits=free_bits)), kl_after=0.0)


def with_phase_loss(epochs: int, train: float, val: float = 1.0) -> Log:
    """A KL as every phase expects it, and flat answer losses."""
    kl = {"kl_raw": 0.06, "kl_after": 0.03}
    changes = {"train": {"answer_loss": train, **kl}, "val": {"answer_loss": val}}
    return HEADER, make_run(epochs, **changes)


def halved(raw: float, epochs: int) -> Log:
    """A reduction of a half, which every phase expects."""
    return trained(epochs, kl_raw=raw, kl_after=raw / 2.0)


def cut(epochs: int, after: float, raw: float = RAW) -> Log:
    return trained(epochs, kl_raw=raw, kl_after=after)


def left(reduction: float, raw: float = RAW) -> float:
    """kl_after at which a reduction is reached."""
    return raw * (1.0 - reduction)


@dataclass(frozen=True)
class Change:
    """A pair whose two logs are both remarked upon, differently.

    Attributes:
        pair: the logs.
        part: field of the finding that differs.
        said: what it holds on either side.
    """

    pair: Pair
    part: str
    said: tuple[str | Advice | None, str | Advice | None]


def at_tuning(log: Callable[[Any], Log]) -> Change:
    """A remark before the tuning epoch, a warning from it on."""
    pair = Pair(log, LIMITS.tuning_epoch + 1, LIMITS.tuning_epoch)
    return Change(pair, "level", ("warning", "info"))


def pressed(share: float, raw: float, best: float) -> Log:
    """A stuck validation loss under a KL that takes a share of the loss."""

    def vary(n: int) -> Mapping[str, Any]:
        train = {"answer_loss": 0.7, "kl_raw": raw, "kl_after": 0.7 * raw, "kl_share": share}
        return {"train": train, "val": {"answer_loss": best if n == 3 else 0.9}}

    return HEADER, make_run(24, vary)
