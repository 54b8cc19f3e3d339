"""Rules on values out of hand: a loss that is not finite, a KL that grows without end."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isfinite

from latentvqa.core.figures import counted, figure
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import NO_LATENT
from latentvqa.core.rules.kl_checks import NO_KL_RAW
from latentvqa.core.rules.rule import Judgement, Level, Outcome, Rule, RunView, finite, kl_split

_SAME_LOSS = 0.02  # share of its range by which a loss may differ and be no worse
LOSSES = (
    "total_loss",
    "answer_loss",
    "answer_nll",
    "teacher_loss",
    "orthogonality",
    "kl_raw",
    "kl_after",
    "rate",
)


def judge_divergence(view: RunView) -> Outcome:
    """A loss term that is NaN or infinite."""
    for split_name, split in (("training", view.record.train), ("validation", view.record.val)):
        for term in LOSSES:
            value = getattr(split, term)
            if value is not None and not isfinite(value):
                return Judgement(
                    "critical",
                    f"{split_name} {term} is {value} at epoch {view.record.epoch}: the run "
                    "diverged; look at the learning rates and the precision before it goes on "
                    "from the last good checkpoint.",
                    {term: value},
                )
    return None


def judge_exploding(view: RunView) -> Outcome:
    """A large KL that grows fast, and buys nothing where nobody says how large is large."""
    if not view.has_latent:
        return NO_LATENT
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None:
        return NO_KL_RAW
    if absurd := _absurd(view):
        return absurd
    lowest, limits = min(_kl_raws(view, start=0)), view.thresholds
    if view.missing("reduction", "dims") is not None:
        bought = _unpaid(view, raw)
        if bought is not None:
            since = "what it was at no worse a loss: nothing pays for it"
            is_unpaid = bought >= limits.unpaid_growth
            paid = _fast_growth(view, raw) if _is_runaway(view, raw, lowest) else None
            return _explosion(view, "warning", raw, bought, since) if is_unpaid else paid
    return _fast_growth(view, raw)


def _absurd(view: RunView) -> Judgement | None:
    """A KL beyond any sense, on either split."""
    limits, past = view.thresholds, view.records[: view.index + 1]
    for name in ("train", "val"):
        values = [finite(getattr(record, name).kl_raw) for record in past]
        raw, lowest = values[-1], min((v for v in values if v is not None and v > 0.0), default=inf)
        if raw is not None and raw >= max(limits.absurd_kl, limits.absurd_growth * lowest):
            return _explosion(view, "critical", raw, raw / lowest, "its lowest")
    return None


def _is_runaway(view: RunView, raw: float, lowest: float) -> bool:
    """Whether a KL has grown beyond what any reconstruction can pay for."""
    limits = view.thresholds
    return raw >= limits.absurd_growth * max(lowest, limits.exploding_kl)


def _fast_growth(view: RunView, raw: float) -> Outcome:
    limits = view.thresholds
    window = [finite(kl_split(r).kl_raw) for r in view.last(limits.consistent_epochs + 1)]
    values = [value for value in window if value is not None]
    if len(values) <= limits.consistent_epochs:
        return None
    is_rising = all(later > earlier for earlier, later in pairwise(values))
    growth = raw / values[0] if values[0] > 0.0 else 0.0
    is_known = view.missing("reduction", "dims") is None
    # without a convention no size is large: only a growth beyond any start counts, and late
    needed = limits.exploding_growth if is_known else limits.exploding_growth**3
    if is_known:
        is_large = raw > view.kl_limit(limits.exploding_kl)
    else:
        is_large = view.index >= limits.early_epoch
    # a KL of no known convention may rise from nothing at the start
    lowest = min(_kl_raws(view, start=0 if is_known else limits.early_epoch))
    has_exploded = raw >= limits.exploded_growth * lowest
    if not (is_large and (has_exploded or (is_rising and growth >= needed))):
        return None
    if is_rising and growth >= needed:
        since = f"that of {counted(limits.consistent_epochs, 'epoch')} before"
        return _explosion(view, "warning", raw, growth, since)
    return _explosion(view, "warning", raw, raw / lowest, "its lowest")


def _explosion(view: RunView, level: Level, raw: float, times: float, since: str) -> Judgement:
    limits = view.thresholds
    hold = "how soon the KL weight rises" if view.has_kl else "why the KL has no price"
    return Judgement(
        level,
        f"The KL explodes: kl_raw {figure(raw)} is {figure(times)} times {since}. Look "
        f"at the latent's learning rate, and at {hold}.",
        {"kl_raw": raw, "growth": times, "lowest_kl_raw": min(_kl_raws(view, start=0))},
        {
            "exploding_kl": view.kl_limit(limits.exploding_kl),
            "exploding_growth": limits.exploding_growth,
            "exploded_growth": limits.exploded_growth,
            "unpaid_growth": limits.unpaid_growth,
            "absurd_kl": limits.absurd_kl,
            "consistent_epochs": limits.consistent_epochs,
        },
    )


def _unpaid(view: RunView, raw: float) -> float | None:
    """How often the KL was smaller at no worse a loss; None where no loss is logged with it.

    A KL that grows as the reconstruction gets better is paid for.
    """
    past = view.records[: view.index + 1]
    if raw <= 0.0:
        return None
    for name in ("answer_loss", "answer_nll", "total_loss"):
        pairs = [
            (loss, kl)
            for split in map(kl_split, past)
            if (loss := finite(getattr(split, name))) is not None
            and (kl := finite(split.kl_raw)) is not None
            and kl > 0.0
        ]
        now = finite(getattr(kl_split(view.record), name))
        if now is None or len(pairs) <= view.thresholds.consistent_epochs:
            continue
        losses = [loss for loss, _ in pairs]
        slack = _SAME_LOSS * (max(losses) - min(losses))
        return raw / min((kl for loss, kl in pairs if loss <= now + slack), default=raw)
    return None


def _kl_raws(view: RunView, start: int) -> list[float]:
    """Every positive kl_raw from a record up to the judged one; infinity without any."""
    raws = (finite(kl_split(record).kl_raw) for record in view.records[start : view.index + 1])
    return [raw for raw in raws if raw is not None and raw > 0.0] or [inf]


DIVERGENCE_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN001",
        name="divergence",
        meaning="A loss term is NaN or infinite.",
        why="Nothing after it can be trusted. Before it goes on from the last good checkpoint, "
        "look at the learning rates and at whether it diverges in fp32 as well.",
        source="a loss must be finite",
        rank=30,
        judge=judge_divergence,
        subject="evidence",
    ),
    Rule(
        code="IN011",
        name="kl_exploding",
        meaning="A large KL doubles within a few epochs, or has grown thirtyfold over its lowest.",
        why="Usually too high a learning rate of the bottleneck under a weight that is 0 or still "
        "rising; the loss follows once the weight acts. Where the log does not state its "
        "convention no size is large: a growth counts that no better reconstruction pays for, or "
        "one beyond any sense, which is critical.",
        source="rate against need, as in Alemi et al. 2018 (arXiv:1711.00464)",
        rank=90,
        judge=judge_exploding,
        advice=advice.lower_latent_rate,
        thresholds=(
            "exploding_kl",
            "exploding_growth",
            "exploded_growth",
            "unpaid_growth",
            "absurd_kl",
            "absurd_growth",
            "consistent_epochs",
        ),
        subject="evidence",
    ),
)
