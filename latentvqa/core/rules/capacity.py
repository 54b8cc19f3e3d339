"""Rules on information: whether the latent can, must and does carry the answers.

These decide the verdict. They read validation values, all taken over the same
rows, and never guess a missing one.
"""

from __future__ import annotations

from latentvqa.core.rules import advice
from latentvqa.core.rules.information import (
    NO_INFORMATION,
    NO_LATENT,
    has_leak,
    information_of,
    is_learning_overdue,
    leak_allowance,
)
from latentvqa.core.rules.rule import (
    Advice,
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    figure,
    finite,
    learnt,
)


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
    return Judgement(
        "warning" if is_learning_overdue(view) else "info",
        f"The latent can carry {figure(seen.bound)} nats, "
        f"{'less' if seen.bound < seen.need else 'little more'} than the "
        f"{figure(seen.need)} that the answers need.",
        {"information_bound": seen.bound, "answer_entropy": seen.need},
        {"near_need": limits.near_need},
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
        f"The latent can carry {figure(seen.bound / seen.need)} times the information the answers "
        "need: it hardly compresses.",
        {"information_bound": seen.bound, "answer_entropy": seen.need},
        {"far_above_need": limits.far_above_need},
    )


def _advise_ignored(view: RunView) -> Advice | None:
    return advice.lower_latent_noise(view) if view.is_late else None


def _advise_near_need(view: RunView) -> Advice | None:
    is_harmful = is_learning_overdue(view) and advice.is_penalty_active(view)
    return advice.lower_factor(view) if is_harmful else None


_PROCESSING = "data processing inequality: what is learnt must have passed the bottleneck"
_RATE = "capacity against need, as in Alemi et al. 2018 (arXiv:1711.00464)"

CAPACITY_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN003",
        name="leak",
        meaning="More is learnt about the answers than the latent can have carried.",
        why="What is learnt (the information the answers need, less the answer NLL) had to pass "
        "through z, if the bottleneck is strict. More than the bound means a path around it, or a "
        "log whose terms do not belong together. Not judged at temperature 0, where no bound "
        "exists.",
        source=_PROCESSING,
        rank=50,
        judge=judge_leak,
        thresholds=("leak_nats", "leak_errors"),
        subject="latent",
    ),
    Rule(
        code="IN004",
        name="latent_ignored",
        meaning="The latent could carry the answers, but hardly anything is learnt.",
        why="The decoder does not read it, or what it holds has nothing to do with the answer. "
        "Latent noise before the answer is learnt is a frequent cause: ramp the temperature from "
        "0.",
        source=_PROCESSING,
        rank=80,
        judge=judge_ignored,
        advice=_advise_ignored,
        thresholds=("collapse_bound", "collapse_gain", "tuning_epoch"),
        subject="latent",
    ),
    Rule(
        code="IN005",
        name="capacity_near_need",
        meaning="The latent can carry little more than the answers need.",
        why="That is compression, and fine while the answers are learnt. If they are not, the "
        "price may be what keeps them out.",
        source=_RATE,
        rank=200,
        judge=judge_near_need,
        advice=_advise_near_need,
        thresholds=("collapse_bound", "near_need", "tuning_epoch"),
    ),
    Rule(
        code="IN006",
        name="capacity_far_above_need",
        meaning="The latent can carry many times what the answers need.",
        why="It hardly compresses. No fault by itself: lower free_bits or raise the weight only "
        "if compression is what you want.",
        source=_RATE,
        rank=210,
        judge=judge_far_above_need,
        thresholds=("far_above_need",),
    ),
)
