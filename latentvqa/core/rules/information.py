"""What the validation pass says about information, as named questions.

Each answer is None where the log does not hold what it needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from latentvqa.core.records import SplitMetrics
from latentvqa.core.rules.rule import NotJudged, RunView, finite

NO_INFORMATION = NotJudged("the log holds no answer entropy, gain or information bound")
NO_LATENT = NotJudged("the decoder does not see a Gaussian latent in this run or stage")


@dataclass(frozen=True)
class Information:
    """Information measures of one validation pass, in nats per answer.

    Attributes:
        need: information the answers need beyond how often they occur: what
            knowing only that costs, or their plug-in entropy in logs without it.
        gain: what the model has learnt to say.
        image_gain: the part of it that the best image-blind model lacks.
        bound: the most that the decoder can know at ``temperature``.
        is_capped: whether the rows are too few to show that it can know more.
        rate: what the loss pays for.
        temperature: latent temperature of the pass.
        active_units: dimensions in use.
    """

    need: float | None
    gain: float | None
    image_gain: float | None
    bound: float | None
    is_capped: bool
    rate: float | None
    temperature: float | None
    active_units: int | None


def information_of(view: RunView) -> Information:
    """The information measures of the judged epoch; a constant answer needs none."""
    val = view.record.val
    need = finite(val.prior_nll)
    need = finite(val.answer_entropy) if need is None else need
    temperature = finite(val.temperature)
    if temperature is None:
        temperature = view.header.validation_temperature
    bound, ceiling = _bound_of(view, temperature), _most_shown(val)
    return Information(
        need=need if need is not None and need > 0.0 else None,
        gain=finite(val.answer_gain),
        image_gain=finite(val.image_gain),
        bound=bound if bound is None else min(bound, ceiling),
        is_capped=bound is not None and bound >= ceiling * (1.0 - 1e-6),
        rate=finite(val.rate),
        temperature=temperature,
        active_units=val.active_units,
    )


def _bound_of(view: RunView, temperature: float | None) -> float | None:
    """The logged bound; at temperature 1, which the KL prices, the rate is one as well."""
    val = view.record.val
    for bound in (finite(val.capacity), finite(val.information_bound)):
        if bound is not None:
            return bound
    is_priced = temperature is None or temperature >= 1.0
    return finite(val.rate) if is_priced and view.has_latent else None


def _most_shown(val: SplitMetrics) -> float:
    """Nats that so many different rows can show at most: the log of their number."""
    rows = val.judged_rows if val.judged_rows is not None else val.rows
    return math.log(rows) if rows is not None and rows > 1 else math.inf


def is_memorised(view: RunView) -> bool:
    """Whether training rows are known by heart, and validation rows hardly at all."""
    seen, limits = information_of(view), view.thresholds
    trained = finite(view.record.train.answer_gain)
    if seen.need is None or seen.gain is None or trained is None:
        return False
    gap = trained - seen.gain
    is_poor = seen.gain < limits.collapse_gain * seen.need and not is_score_ahead(view)
    return gap >= limits.memorised_gap * seen.need and is_poor


def is_image_unused(view: RunView) -> bool:
    """Whether something is learnt, and none of it surely from the image."""
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None or seen.gain < limits.collapse_gain * seen.need:
        return False
    if not view.header.sees_images:
        return True
    if seen.image_gain is None or is_score_ahead(view):
        return False
    error = finite(view.record.val.image_gain_error) or 0.0
    return seen.image_gain <= max(limits.image_share * seen.need, limits.image_errors * error)


def is_score_ahead(view: RunView) -> bool:
    """Whether more validation answers are right than of any model without images, by far.

    Nats alone call a model that is too sure of its mistakes unlearnt. Beyond
    ``image_errors`` standard errors is by far, with an image as one trial: its
    questions are right and wrong together.
    """
    header, score = view.header, finite(view.record.val.exact_match)
    shares = [finite(measures.get("exact_match")) for measures in header.blind.values()]
    known = [share for share in shares if share is not None]
    images = header.validation_images
    if score is None or not known or not images:
        return False
    blind = max(known)
    error = math.sqrt((score * (1.0 - score) + blind * (1.0 - blind)) / images)
    return score - blind > view.thresholds.image_errors * error


def may_still_pass(view: RunView) -> bool:
    """Whether a fault of the first epochs may be gone when the plan is done."""
    return view.is_early and view.header.is_own and not view.is_over


def are_answers_learnt(view: RunView) -> bool | None:
    """Whether the latent demonstrably carries the answers.

    True where the model has learnt most of the answers and the latent can have
    carried them; None where the log cannot tell.
    """
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None:
        return None
    has_learnt = seen.gain >= limits.learnt_gain * seen.need
    return has_learnt and (seen.bound is None or seen.bound >= limits.collapse_bound * seen.need)


def is_learning_overdue(view: RunView) -> bool:
    """Whether the answers are known not to be learnt, late enough to act upon it."""
    return view.is_late and are_answers_learnt(view) is False


def leak_allowance(view: RunView) -> float:
    """Nats by which the gain may exceed the bound before it is a leak."""
    limits, error = view.thresholds, finite(view.record.val.answer_nll_error) or 0.0
    return max(limits.leak_nats, limits.leak_errors * error)


def has_leak(view: RunView) -> bool:
    """Whether more is learnt than the latent can have carried; false where unknown."""
    seen, shown = information_of(view), gain_over_entropy(view)
    if shown is None or seen.bound is None or seen.temperature == 0.0:
        return False
    return shown - seen.bound > leak_allowance(view)


def gain_over_entropy(view: RunView) -> float | None:
    """H(A) of the rows minus their loss: what must have been known of each, in nats.

    For a leak the plug-in entropy is right: it is the information of the very
    rows that the bound is reckoned of.
    """
    val = view.record.val
    entropy, nll = finite(val.answer_entropy), finite(val.answer_nll)
    if val.prior_nll is None or entropy is None or nll is None:
        return finite(val.answer_gain)
    return entropy - nll
