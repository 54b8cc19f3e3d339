"""Rules on information: whether the latent can, must and does carry the answers.

These decide the verdict. They read validation values, all taken over the same
rows, and never guess a missing one.
"""

from __future__ import annotations

import math

from latentvqa.core.rules import advice
from latentvqa.core.rules.information import (
    NO_INFORMATION,
    NO_LATENT,
    are_answers_learnt,
    has_leak,
    information_of,
    leak_allowance,
)
from latentvqa.core.rules.rule import (
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    figure,
    finite,
    learnt,
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
            if value is not None and not math.isfinite(value):
                return Judgement(
                    "critical",
                    f"{split_name} {term} is {value} at epoch {view.record.epoch}: the run "
                    "diverged; go on from the last good checkpoint with a lower learning rate.",
                    {term: value},
                )
    return None


def judge_leak(view: RunView) -> Outcome:
    """More learnt than the latent can have carried: something goes around it."""
    if not view.has_latent:
        return NO_LATENT
    seen = information_of(view)
    if seen.temperature == 0.0:
        return NotJudged("at temperature 0 there is no bound to exceed")
    if seen.gain is None or seen.bound is None:
        return NO_INFORMATION
    error = finite(view.record.val.answer_nll_error) or 0.0
    allowance = leak_allowance(view)
    if not has_leak(view):
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
    if not view.has_latent:
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None or seen.bound is None:
        return NO_INFORMATION
    # without an active unit there is nothing to ignore: that is a collapse
    is_wide = seen.bound >= limits.collapse_bound * seen.need and seen.active_units != 0
    if not is_wide or seen.gain >= limits.collapse_gain * seen.need:
        return None
    is_early = not view.is_late
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
        None if is_early else advice.lower_latent_noise(view),
    )


def judge_near_need(view: RunView) -> Outcome:
    """Little room between what the latent can carry and what the answers need."""
    if not view.has_latent:
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.bound is None:
        return NO_INFORMATION
    if not limits.collapse_bound * seen.need <= seen.bound < limits.near_need * seen.need:
        return None
    has_learnt = are_answers_learnt(view)
    is_late = view.is_late
    is_harmful = has_learnt is False and is_late
    return Judgement(
        "warning" if is_harmful else "info",
        f"The latent can carry {figure(seen.bound)} nats, "
        f"{'less' if seen.bound < seen.need else 'little more'} than the "
        f"{figure(seen.need)} that the answers need.",
        {"information_bound": seen.bound, "answer_entropy": seen.need},
        {"near_need": limits.near_need},
        advice.lower_factor(view) if is_harmful and advice.is_penalty_active(view) else None,
    )


def judge_far_above_need(view: RunView) -> Outcome:
    """Far more capacity than the answers need: allowed, and worth knowing."""
    if not view.has_latent:
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


_PROCESSING = "data processing inequality: what is learnt must have passed the bottleneck"
_RATE = "capacity against need, as in Alemi et al. 2018 (arXiv:1711.00464)"

INFORMATION_RULES: tuple[Rule, ...] = (
    Rule("IN001", "divergence", "a loss must be finite", judge_divergence),
    Rule("IN003", "leak", _PROCESSING, judge_leak),
    Rule("IN004", "latent_ignored", _PROCESSING, judge_ignored),
    Rule("IN005", "capacity_near_need", _RATE, judge_near_need),
    Rule("IN006", "capacity_far_above_need", _RATE, judge_far_above_need),
)
