"""Rules on information: whether the latent can, must and does carry the answers.

These decide the verdict. They read validation values, all taken over the same
rows, and never guess a missing one.
"""

from __future__ import annotations

import math

from latentvqa.core import advice
from latentvqa.core.findings import (
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    figure,
    finite,
    kl_split,
    learnt,
)
from latentvqa.core.information import are_answers_learnt, information_of
from latentvqa.core.kl_health import NO_KL, NO_KL_RAW

NO_INFORMATION = NotJudged("the log holds no answer entropy, gain or information bound")
NO_LATENT = NotJudged("the decoder does not see a Gaussian latent in this run or stage")
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
            if value is not None and not math.isfinite(value):
                return Judgement(
                    "critical",
                    f"{split_name} {term} is {value} at epoch {view.record.epoch}: the run "
                    "diverged; go on from the last good checkpoint with a lower learning rate.",
                    {term: value},
                )
    return None


def judge_collapse(view: RunView) -> Outcome:
    """Neither capacity nor answers, or no active unit at all."""
    if not _has_latent(view):
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    is_empty = seen.active_units == 0
    is_poor = False
    if seen.need is not None and seen.bound is not None and seen.gain is not None:
        is_poor = (
            seen.bound < limits.collapse_bound * seen.need
            and seen.gain < limits.collapse_gain * seen.need
        )
    elif seen.active_units is None:
        return NO_INFORMATION
    if not (is_empty or is_poor):
        return None
    evidence = "no latent unit is active"
    if not is_empty:
        evidence = (
            f"the latent can carry at most {figure(seen.bound)} of the "
            f"{figure(seen.need)} nats that the answers need, and {learnt(seen.gain or 0.0)}"
        )
    is_active = advice.is_penalty_active(view)
    if is_active is None:
        cure = "compare kl_after with kl_raw to see whether the penalty is the cause"
    elif is_active:
        cure = "the penalty presses on it: less KL pressure, or a later and slower warm-up"
    else:
        cure = (
            "the penalty is inactive, so the latent path is not learning or is bypassed: look at "
            "the answer loss, the temperature and the latent's learning rate, and run "
            "evaluate RUN"
        )
    is_early = view.latent_epoch < limits.early_epoch
    told = f"The posterior has collapsed: {evidence}; {cure}."
    return Judgement(
        "warning" if is_early else "critical",
        f"So far the latent holds too little: {evidence}." if is_early else told,
        {
            "information_bound": seen.bound,
            "answer_gain": seen.gain,
            "answer_entropy": seen.need,
            "active_units": seen.active_units,
        },
        {"collapse_bound": limits.collapse_bound, "collapse_gain": limits.collapse_gain},
        None if is_early else advice.against_collapse(view),
    )


def judge_leak(view: RunView) -> Outcome:
    """More learnt than the latent can have carried: something goes around it."""
    if not _has_latent(view):
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.temperature == 0.0:
        return NotJudged("at temperature 0 there is no bound to exceed")
    if seen.gain is None or seen.bound is None:
        return NO_INFORMATION
    error = finite(view.record.val.answer_nll_error) or 0.0
    allowance = max(limits.leak_nats, limits.leak_errors * error)
    if seen.gain - seen.bound <= allowance:
        return None
    return Judgement(
        "critical",
        f"The model has learnt {figure(seen.gain)} nats of the answers, but the latent can have "
        f"carried at most {figure(seen.bound)}: the answer reaches the decoder by another way.",
        {"answer_gain": seen.gain, "information_bound": seen.bound, "answer_nll_error": error},
        {"allowance": allowance},
    )


def judge_ignored(view: RunView) -> Outcome:
    """The latent could carry the answers, yet hardly anything is learnt."""
    if not _has_latent(view):
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None or seen.bound is None:
        return NO_INFORMATION
    is_wide = seen.bound >= limits.collapse_bound * seen.need
    if not is_wide or seen.gain >= limits.collapse_gain * seen.need:
        return None
    is_early = view.latent_epoch < limits.tuning_epoch
    return Judgement(
        "info" if is_early else "warning",
        f"The latent can carry {figure(seen.bound)} nats and the answers need "
        f"{figure(seen.need)}, but {learnt(seen.gain)}: the decoder "
        f"{'does not use it yet' if is_early else 'ignores it'}.",
        {
            "answer_gain": seen.gain,
            "information_bound": seen.bound,
            "answer_entropy": seen.need,
        },
        {"collapse_gain": limits.collapse_gain, "tuning_epoch": limits.tuning_epoch},
        None if is_early else advice.quieten_latent(view),
    )


def judge_near_need(view: RunView) -> Outcome:
    """Little room between what the latent can carry and what the answers need."""
    if not _has_latent(view):
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.bound is None:
        return NO_INFORMATION
    if not limits.collapse_bound * seen.need <= seen.bound < limits.near_need * seen.need:
        return None
    has_learnt = are_answers_learnt(view)
    is_late = view.latent_epoch >= limits.tuning_epoch
    return Judgement(
        "warning" if has_learnt is False and is_late else "info",
        f"The latent can carry {figure(seen.bound)} nats, little more than the "
        f"{figure(seen.need)} that the answers need.",
        {"information_bound": seen.bound, "answer_entropy": seen.need},
        {"near_need": limits.near_need},
        advice.lower_factor(view) if has_learnt is False and is_late else None,
    )


def judge_far_above_need(view: RunView) -> Outcome:
    """Far more capacity than the answers need: allowed, and worth knowing."""
    if not _has_latent(view):
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.bound is None:
        return NO_INFORMATION
    if seen.bound <= limits.far_above_need * seen.need:
        return None
    return Judgement(
        "info",
        f"The capacity is {figure(seen.bound / seen.need)} times the need: the latent hardly "
        "compresses.",
        {"information_bound": seen.bound, "answer_entropy": seen.need},
        {"far_above_need": limits.far_above_need},
    )


def judge_pinned(view: RunView) -> Outcome:
    """kl_raw held at free_bits: the allowance is a constraint, not a price."""
    if not view.has_kl:
        return NO_KL
    free_bits, limits = view.header.kl.free_bits, view.thresholds
    if free_bits <= 0.0 or view.index + 1 < limits.pinned_epochs:
        return None
    low, high = limits.pinned_low * free_bits, limits.pinned_high * free_bits
    for record in view.last(limits.pinned_epochs):
        raw = finite(kl_split(record).kl_raw)
        weight = finite(record.effective_kl_weight)
        if raw is None or weight is None:
            return NO_KL_RAW if raw is None else NotJudged("the log holds no effective weight")
        if weight <= 0.0 or not low <= raw <= high:
            return None
    raw = finite(kl_split(view.record).kl_raw)
    has_learnt = are_answers_learnt(view)
    is_late = view.latent_epoch >= limits.tuning_epoch
    return Judgement(
        "info" if has_learnt or not is_late else "warning",
        f"kl_raw {figure(raw)} follows free_bits {figure(free_bits)}: free_bits is the "
        "constraint; weight and reduction say nothing.",
        {"kl_raw": raw, "effective_kl_weight": view.record.effective_kl_weight},
        {"pinned_low": low, "pinned_high": high, "pinned_epochs": limits.pinned_epochs},
        advice.quieten_latent(view) if has_learnt is False and is_late else None,
    )


def judge_warmup(view: RunView) -> Outcome:
    """The KL weight has not reached its maximum: KL values will still move."""
    if not view.has_kl:
        return NO_KL
    weight, full = finite(view.record.kl_weight), view.header.kl.max_weight
    if weight is None:
        return NotJudged("the log holds no KL weight")
    if weight >= full * (1.0 - 1e-6):
        return None
    factor = view.header.kl.factor
    return Judgement(
        "info",
        f"The KL is not warmed up yet: effective weight {figure(weight * factor)} of "
        f"{figure(full * factor)}.",
        {"effective_kl_weight": weight * factor},
        {"effective_kl_weight": full * factor},
    )


def _has_latent(view: RunView) -> bool:
    return view.header.kl.bottleneck == "gaussian" and view.record.stage != "baseline"


_DESIGN = "information verdict"
_BURDA = "information verdict; Burda et al. 2016"

INFORMATION_RULES: tuple[Rule, ...] = (
    Rule("IN001", "divergence", "a loss must be finite", judge_divergence),
    Rule("IN002", "collapse", _BURDA, judge_collapse),
    Rule("IN003", "leak", _DESIGN, judge_leak),
    Rule("IN004", "latent_ignored", _DESIGN, judge_ignored),
    Rule("IN005", "capacity_near_need", _DESIGN, judge_near_need),
    Rule("IN006", "capacity_far_above_need", _DESIGN, judge_far_above_need),
    Rule("IN007", "pinned", _DESIGN, judge_pinned),
    Rule("IN008", "not_warmed_up", "KL warm-up", judge_warmup),
)
