"""Rules on collapse: the whole posterior, or a part of its tokens and units.

Collapse is judged on what the latent can carry and what was learnt, never on a
small KL alone. Where a log holds no such measures, a rate near zero decides.
"""

from __future__ import annotations

from latentvqa.core.figures import figure, learnt, percent
from latentvqa.core.kl_precision import (
    MOST_DIMENSIONS,
    has_fallen,
    is_perhaps_weighted,
    kl_values,
    most_kl,
)
from latentvqa.core.rules import advice
from latentvqa.core.rules.information import (
    NO_INFORMATION,
    NO_LATENT,
    Information,
    are_answers_learnt,
    has_leak,
    information_of,
    is_learning_overdue,
    may_still_pass,
)
from latentvqa.core.rules.rule import (
    Advice,
    Judgement,
    Outcome,
    Rule,
    RunView,
    Tested,
    finite,
    kl_split,
)


def judge_collapse(view: RunView) -> Outcome:
    """Neither capacity nor answers, no active unit, or no rate to speak of."""
    if not view.has_latent:
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if has_leak(view):
        return None  # what is learnt went around the latent: that is the fault to name
    rate = _rate_at_one(view) if seen.need is None or seen.bound is None else None
    if seen.active_units is None and rate is None and not _is_complete(seen):
        return NO_INFORMATION
    evidence = _evidence(view, seen, rate)
    if evidence is None:
        return None
    is_early = _is_early(view)
    sentence = f"The posterior has collapsed: {evidence}; {_cure(view)}."
    return Judgement(
        "warning" if is_early else "critical",
        f"So far the latent holds too little: {evidence}." if is_early else sentence,
        {
            "information_bound": seen.bound,
            "answer_gain": seen.gain,
            "answer_entropy": seen.need,
            "active_units": seen.active_units,
            "rate": seen.rate,
        },
        {
            "collapse_bound": limits.collapse_bound,
            "collapse_gain": limits.collapse_gain,
            "collapse_rate": limits.collapse_rate,
        },
        is_early=may_still_pass(view),
    )


def judge_vanishing(view: RunView) -> Outcome:
    """A KL of another tool's log that falls to next to nothing, seen as it happens."""
    if not view.has_latent:
        return NO_LATENT
    values, limits = kl_values(view), view.thresholds
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None or view.missing("reduction", "tokens", "dims") is None:
        return None
    most, highest = most_kl(view, raw), max(values)
    is_gone = 0.0 <= most <= limits.vanishing_kl and highest >= limits.vanishing_fall * most
    if not is_gone or _rate_at_one(view) is not None or view.record.effective_kl_weight == 0.0:
        return None
    first = next(r for r in view.records if finite(kl_split(r).kl_raw) == highest)
    now, before = view.record.effective_kl_weight, first.effective_kl_weight
    is_rising = now is not None and before is not None and now > before
    rest = f" while the weight rises from {figure(before)} to {figure(now)}" if is_rising else ""
    printed = figure(raw) if raw > 0.0 else f"less than {figure(most)}"
    return Judgement(
        "warning",
        f"The KL vanishes: {figure(highest)} at epoch {first.epoch}, {printed} at epoch "
        f"{view.record.epoch}{rest}. That is how a collapse begins.",
        {"kl_raw": raw, "highest_kl_raw": highest},
        {"vanishing_kl": limits.vanishing_kl, "vanishing_fall": limits.vanishing_fall},
    )


def judge_partial(view: RunView) -> Outcome:
    """Some latent tokens, or nearly all units, carry nothing while others do."""
    if not view.has_latent:
        return NO_LATENT
    seen, limits, kl = information_of(view), view.thresholds, view.header.kl
    tokens = [finite(value) for value in kl_split(view.record).kl_tokens or ()]
    known = [value for value in tokens if value is not None]
    if len(known) < 2 and seen.active_units is None:
        return NO_INFORMATION
    floor = min(view.kl_limit(limits.collapse_kl), limits.partial_tokens * max(known, default=0.0))
    empty = [place for place, value in enumerate(tokens) if value is not None and value < floor]
    units = kl.tokens * kl.dims
    is_sparse = (
        not {"tokens", "dims"} & set(kl.unknown)
        and seen.active_units is not None
        and 0 < seen.active_units < limits.partial_units * units
    )
    if not (empty and len(empty) < len(known)) and not is_sparse:
        return None
    parts = []
    if empty and len(empty) < len(known):
        listed = ", ".join(map(str, empty[:8])) + (" ..." if len(empty) > 8 else "")
        parts.append(f"nothing is carried by {len(empty)} of {len(known)} latent tokens ({listed})")
    if is_sparse and seen.active_units is not None:
        share = percent(seen.active_units / units)
        parts.append(f"only {seen.active_units:,} of {units:,} units are active ({share})")
    has_learnt = are_answers_learnt(view)
    rest = "The answers are learnt all the same." if has_learnt else "The rest must do the work."
    return Judgement(
        "warning" if is_learning_overdue(view) else "info",
        f"Part of the posterior has collapsed: {' and '.join(parts)}. {rest}",
        {
            "empty_tokens": len(empty),
            "smallest_token_kl": min(known, default=None),
            "largest_token_kl": max(known, default=None),
            "active_units": seen.active_units,
        },
        {
            "collapse_kl": view.kl_limit(limits.collapse_kl),
            "partial_tokens": limits.partial_tokens,
            "partial_units": limits.partial_units,
        },
    )


def _is_complete(seen: Information) -> bool:
    return None not in (seen.need, seen.bound, seen.gain)


def _evidence(view: RunView, seen: Information, rate: float | None) -> str | None:
    """What shows the collapse, or None where nothing does."""
    limits = view.thresholds
    is_poor = (
        seen.need is None
        or seen.gain is None
        or not (seen.gain >= limits.collapse_gain * seen.need)
    )
    if seen.active_units == 0 and is_poor:
        return "no latent unit is active"
    if seen.need is not None and seen.bound is not None and seen.gain is not None:
        is_poor = (
            seen.bound < limits.collapse_bound * seen.need
            and seen.gain < limits.collapse_gain * seen.need
        )
        return (
            f"the latent can carry at most {figure(seen.bound)} of the {figure(seen.need)} nats "
            f"that the answers need, and {learnt(seen.gain)}"
            if is_poor
            else None
        )
    if rate is None or rate >= limits.collapse_rate:
        return None
    if seen.rate is None and finite(view.record.train.rate) is None:
        raw = figure(finite(kl_split(view.record).kl_raw))
        return f"kl_raw is {raw}, next to nothing under any reduction"
    return f"the rate is {figure(rate)} nats per example, and more the latent cannot carry"


def _rate_at_one(view: RunView) -> float | None:
    """The rate, which bounds the information at temperature 1, from either split."""
    if view.record.effective_kl_weight == 0.0 and view.record.kl_weight in (0.0, None):
        return None  # before the price acts, the KL is what the start gave it
    sharpened = min(view.header.validation_temperature or 1.0, 1.0) ** 2
    for split in (view.record.val, view.record.train):
        rate = finite(split.rate)
        if rate is not None:
            return rate / sharpened
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None or view.missing("reduction", "tokens", "dims") is None:
        return None
    most = MOST_DIMENSIONS * most_kl(view, raw)  # whatever the reduction was
    is_next_to_nothing = raw >= 0.0 and most < view.thresholds.collapse_rate
    return most / sharpened if is_next_to_nothing and not is_perhaps_weighted(view) else None


def _is_early(view: RunView) -> bool:
    """Whether a collapse may still pass; not where the KL of another tool's run has vanished."""
    is_known = view.missing("reduction", "tokens", "dims") is None
    return view.is_early and (is_known or not has_fallen(view))


def _cure(view: RunView) -> str:
    is_active = advice.is_penalty_active(view)
    if is_active is None:
        return "compare kl_after with kl_raw to see whether the penalty is the cause"
    if is_active:
        return "the penalty presses on it: see what a nat of rate costs in this run"
    return (
        "the penalty is inactive, so the latent path is not learning or is bypassed: look at "
        "the answer loss, the latent noise and the latent's learning rate"
    )


def _advise_collapse(view: RunView) -> Advice | None:
    """A lower price where the penalty presses, late enough to act upon it."""
    is_pressing = advice.is_penalty_active(view) and not _is_early(view)
    return advice.lower_factor(view) if is_pressing else None


_BURDA = "active units, Burda et al. 2016 (arXiv:1509.00519); capacity against need"

COLLAPSE_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN002",
        name="collapse",
        meaning="The posterior is the prior: z says nothing about the image and the question.",
        why="It is judged on three things: the information bound is below half of the information "
        "the answers need, and hardly anything is learnt; or no latent unit is active (Burda et "
        "al. 2016); or, where a log holds neither, the rate is near zero nats. A small kl_raw "
        "alone is no collapse. If the penalty is active, a smaller factor is advised where a nat "
        "of rate costs more than a hundredth of a nat of loss; raising the weight or lowering "
        "free_bits would press harder. If it is inactive, the latent path does not learn: look "
        "at noise, rate and answer loss.",
        source=_BURDA,
        rank=40,
        judge=judge_collapse,
        advice=_advise_collapse,
        thresholds=("collapse_bound", "collapse_gain", "collapse_rate", "early_epoch"),
        subject="latent",
        tested=Tested(
            "critical",
            shown_by=("collapsed",),
            refuted_by=("used, image and question", "used, question only"),
        ),
    ),
    Rule(
        code="IN015",
        name="kl_vanishing",
        meaning="The KL of another tool's log has fallen a hundredfold, to next to nothing.",
        why="Whatever the reduction was, no more than about two nats are left, and it goes on "
        "falling as the weight rises: the posterior becomes the prior. Look at the weight's rise "
        "and at whether the reconstruction got worse as the KL went.",
        source="posterior collapse under a rising weight, Bowman et al. 2016 (arXiv:1511.06349)",
        rank=45,
        judge=judge_vanishing,
        thresholds=("vanishing_kl", "vanishing_fall"),
        subject="evidence",
    ),
    Rule(
        code="IN009",
        name="partial_collapse",
        meaning="Some latent tokens, or nearly all units, carry nothing while others do.",
        why="Harmless where the answers are learnt: the model needs no more. Otherwise fewer "
        "tokens do the work of all, and the penalty or the token dropout is worth a look.",
        source=_BURDA,
        rank=190,
        judge=judge_partial,
        thresholds=("collapse_kl", "partial_tokens", "partial_units", "tuning_epoch"),
    ),
)
