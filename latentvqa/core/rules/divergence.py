"""Rules on values out of hand: a loss that is not finite, a KL that grows without end."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isfinite

from latentvqa.core.rules import advice
from latentvqa.core.rules.information import NO_LATENT
from latentvqa.core.rules.kl_checks import NO_KL_RAW
from latentvqa.core.rules.rule import (
    Judgement,
    Outcome,
    Rule,
    RunView,
    figure,
    finite,
    kl_split,
)

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
                    "diverged; go on from the last good checkpoint with a lower learning rate.",
                    {term: value},
                )
    return None


def judge_exploding(view: RunView) -> Outcome:
    """A large KL that grows fast."""
    if not view.has_latent:
        return NO_LATENT
    limits = view.thresholds
    window = [finite(kl_split(r).kl_raw) for r in view.last(limits.consistent_epochs + 1)]
    values = [value for value in window if value is not None]
    if not values or finite(kl_split(view.record).kl_raw) is None:
        return NO_KL_RAW
    if len(values) <= limits.consistent_epochs:
        return None
    is_rising = all(later > earlier for earlier, later in pairwise(values))
    growth = values[-1] / values[0] if values[0] > 0.0 else 0.0
    is_known = view.missing("reduction", "dims") is None
    # without a convention no size is large: only a growth beyond any start counts, and late
    needed = limits.exploding_growth if is_known else limits.exploding_growth**3
    if is_known:
        is_large = values[-1] > view.kl_limit(limits.exploding_kl)
    else:
        is_large = view.index >= limits.early_epoch
    # a KL that of no known convention may rise from nothing at the start
    lowest = min(_kl_raws(view, start=0 if is_known else limits.early_epoch))
    has_exploded = values[-1] >= limits.exploded_growth * lowest
    if not (is_large and (has_exploded or (is_rising and growth >= needed))):
        return None
    is_fast = is_rising and growth >= needed
    since = f"that of {limits.consistent_epochs} epochs before" if is_fast else "its lowest"
    times = growth if is_fast else values[-1] / lowest
    hold = "let the KL weight rise sooner" if view.has_kl else "give the KL a price"
    return Judgement(
        "warning",
        f"The KL explodes: kl_raw {figure(values[-1])} is {figure(times)} times {since}. Lower "
        f"the latent's learning rate, or {hold}.",
        {"kl_raw": values[-1], "growth": growth, "lowest_kl_raw": lowest},
        {
            "exploding_kl": view.kl_limit(limits.exploding_kl),
            "exploding_growth": needed,
            "exploded_growth": limits.exploded_growth,
            "consistent_epochs": limits.consistent_epochs,
        },
    )


def _kl_raws(view: RunView, start: int) -> list[float]:
    """Every positive kl_raw from a record up to the judged one; infinity without any."""
    raws = (finite(kl_split(record).kl_raw) for record in view.records[start : view.index + 1])
    return [raw for raw in raws if raw is not None and raw > 0.0] or [inf]


DIVERGENCE_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN001",
        name="divergence",
        meaning="A loss term is NaN or infinite.",
        why="Nothing after it can be trusted. Continue from the last good checkpoint with a lower "
        "learning rate or in fp32.",
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
        "convention no size is large, and only a growth beyond any warm-up counts.",
        source="rate against need, as in Alemi et al. 2018 (arXiv:1711.00464)",
        rank=90,
        judge=judge_exploding,
        advice=advice.lower_latent_rate,
        thresholds=("exploding_kl", "exploding_growth", "exploded_growth", "consistent_epochs"),
        subject="evidence",
    ),
)
