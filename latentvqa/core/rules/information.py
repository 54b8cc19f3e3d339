"""What the validation pass says about information, as named questions.

Each answer is None where the log does not hold what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass

from latentvqa.core.rules.rule import NotJudged, RunView, finite

NO_INFORMATION = NotJudged("the log holds no answer entropy, gain or information bound")
NO_LATENT = NotJudged("the decoder does not see a Gaussian latent in this run or stage")


@dataclass(frozen=True)
class Information:
    """Information measures of one validation pass, in nats per answer.

    Attributes:
        need: information the answers need: H(A), their entropy.
        gain: what the model has learnt to say.
        bound: the most that the decoder can know at ``temperature``.
        rate: what the loss pays for.
        temperature: latent temperature of the pass.
        active_units: dimensions in use.
    """

    need: float | None
    gain: float | None
    bound: float | None
    rate: float | None
    temperature: float | None
    active_units: int | None


def information_of(view: RunView) -> Information:
    """The information measures of the judged epoch; a constant answer needs none."""
    val = view.record.val
    need = finite(val.answer_entropy)
    temperature = finite(val.temperature)
    if temperature is None:
        temperature = view.header.validation_temperature
    return Information(
        need=need if need is not None and need > 0.0 else None,
        gain=finite(val.answer_gain),
        bound=finite(val.information_bound),
        rate=finite(val.rate),
        temperature=temperature,
        active_units=val.active_units,
    )


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
    seen = information_of(view)
    if seen.gain is None or seen.bound is None or seen.temperature == 0.0:
        return False
    return seen.gain - seen.bound > leak_allowance(view)
