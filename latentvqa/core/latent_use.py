"""What the interventions on a latent say in one word: used, ignored, collapsed or in part.

Pure rules on measured numbers; the caller measures them by free generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from latentvqa.core.estimates import Estimate
from latentvqa.core.rules.thresholds import KLHealthThresholds

LatentUseWord = Literal["used", "partly used", "ignored", "collapsed"]

USED_SHARE = 0.5  # of score minus best blind prior that the exchange must take
IGNORED_LOSS = 0.01  # a loss of exact match below this is none


@dataclass(frozen=True)
class LatentUseEvidence:
    """The numbers that decide.

    Attributes:
        score: exact match from the posterior mean.
        prior: exact match of the best image-blind prior on the same rows.
        loss: exact match lost when every latent comes from another image, of
            the same question text where there is one.
        image_loss: exact match lost when every row is shown another image.
        information_bound: what the decoder can know of the input, in nats, at
            the temperature in use; None without a Gaussian bottleneck.
        answer_gain: what was learnt to say, in nats.
        answer_entropy: H(A) of the same rows, in nats.
        active_units: dimensions whose mean varies over the data.
    """

    score: float
    prior: float
    loss: Estimate
    image_loss: Estimate
    information_bound: float | None
    answer_gain: float | None
    answer_entropy: float | None
    active_units: int | None


@dataclass(frozen=True)
class LatentUseVerdict:
    """One word and one sentence with the numbers behind it."""

    word: LatentUseWord
    sentence: str


def judge_latent_use(
    evidence: LatentUseEvidence, limits: KLHealthThresholds | None = None
) -> LatentUseVerdict:
    """Say whether the answers rest on the latent.

    Collapsed where the posterior can carry less than half of H(A) and less than
    a tenth of it was learnt, or no unit is active; not where more was learnt than
    the latent can carry, since that went around it. Used where the exchange
    takes at least half of what the score has over the best blind prior, and the
    interval of that loss excludes 0. Ignored where it takes less than one point
    and the interval includes 0; what the exchange of images costs then says
    whether the image goes around the latent or is not used at all. Partly used
    otherwise.

    Args:
        evidence: the measured numbers.
        limits: where collapse and leak begin.
    """
    limits = KLHealthThresholds() if limits is None else limits
    detour = _detour(evidence, limits)
    if not detour and (collapse := _collapse(evidence, limits)) is not None:
        return LatentUseVerdict("collapsed", f"The latent has collapsed: {collapse}.")
    loss, over = evidence.loss, evidence.score - evidence.prior
    measured = (
        f"exchanging latents between images costs {_points(loss.value)} points of exact match"
        f"{_range(loss)}; {_lead(over)}"
    )
    if over > 0.0 and loss.value >= USED_SHARE * over and loss.sign > 0:
        return LatentUseVerdict("used", f"The latent is used: {measured}{detour}.")
    if _is_none(loss):
        sentence = f"The latent is ignored: {measured}{detour or _image(evidence.image_loss)}."
        return LatentUseVerdict("ignored", sentence)
    return LatentUseVerdict("partly used", f"The latent is partly used: {measured}{detour}.")


def _is_none(loss: Estimate) -> bool:
    """Whether a loss of this size is none: below a point, and zero lies inside."""
    return loss.value < IGNORED_LOSS and loss.includes_zero


def _lead(over: float) -> str:
    if over > 0.0:
        return f"the model's lead over the best image-blind prior is {_points(over)}"
    return f"the model is {_points(-over)} points below the best image-blind prior"


def _range(loss: Estimate) -> str:
    if loss.low is None or loss.high is None:
        return ""
    return f" ({_points(loss.low)} to {_points(loss.high)})"


def _image(loss: Estimate) -> str:
    cost = f"; another image costs {_points(loss.value)} points, so"
    if _is_none(loss):
        return f"{cost} the image is not used at all"
    return f"{cost} the image reaches the answers around the latent"


def _collapse(evidence: LatentUseEvidence, limits: KLHealthThresholds) -> str | None:
    if evidence.active_units == 0:
        return "no unit of it is active"
    bound, gain, need = evidence.information_bound, evidence.answer_gain, evidence.answer_entropy
    if bound is None or gain is None or need is None:
        return None
    if bound < limits.collapse_bound * need and gain < limits.collapse_gain * need:
        return (
            f"it can carry at most {bound:.2f} nats of the {need:.2f} that the answers need, and "
            f"{max(gain, 0.0):.2f} were learnt"
        )
    return None


def _detour(evidence: LatentUseEvidence, limits: KLHealthThresholds) -> str:
    bound, gain = evidence.information_bound, evidence.answer_gain
    if bound is None or gain is None or gain <= bound + limits.leak_nats:
        return ""
    return (
        f"; {gain:.2f} nats were learnt and the latent carries at most {bound:.2f}, so the rest "
        "goes around it"
    )


def _points(share: float) -> str:
    return f"{share * 100:z.1f}"
