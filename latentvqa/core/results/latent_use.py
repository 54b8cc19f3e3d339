"""What an examination of the latent found: every intervention, and the evidence beside it.

What the numbers mean in a word is the rule of :mod:`latentvqa.core.latent_use`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentvqa.core.estimates import Estimate
from latentvqa.core.latent_use import LatentUseVerdict

BASE = "posterior_mean"
OTHER_LATENTS = "latents_of_another_image"
ANY_LATENTS = "latents_of_any_example"
ZERO, MATCHED = "zero", "matched_random"
OTHER_IMAGE = "image_shuffled"


@dataclass(frozen=True)
class Arm:
    """One intervention.

    Attributes:
        exact_match: share of right answers.
        answer_nll: nats per reference answer.
        flip_rate: share of answers that differ from those of the base arm.
        difference: exact match minus that of the base arm, paired by row; its
            interval is bootstrapped over images.
    """

    exact_match: Estimate
    answer_nll: Estimate
    flip_rate: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Information:
    """What the latent can carry and what was learnt, in nats.

    Attributes:
        bound: capacity at ``temperature``; None without a Gaussian bottleneck.
        answer_gain: ``answer_entropy`` minus the answer loss per answer.
        answer_entropy: what knowing only how often answers occur costs on the
            examined rows; their H(A) where no answer prior is known.
        temperature: of the latent when bound and gain were taken.
    """

    bound: float | None
    answer_gain: float
    answer_entropy: float
    temperature: float | None


@dataclass(frozen=True)
class MutualInformation:
    """An estimate of I(x; z) and what it can reach.

    Attributes:
        value: the estimate in nats; slightly below 0 is noise around 0.
        log_n: what no estimate from n examples exceeds, in nats.
        n: examples.
        temperature: scale of the posterior's standard deviation.
        is_at_ceiling: whether the true value may be any higher one.
        estimator: how it was reckoned.
        bias: on which side it errs.
    """

    value: float
    log_n: float
    n: int
    temperature: float
    is_at_ceiling: bool
    estimator: str
    bias: str


@dataclass(frozen=True)
class MeanAttention:
    """Where the latent tokens look, averaged over the examined rows.

    Attributes:
        grid: rows and columns of the patches.
        mean: for each latent token the share at each patch, row by row, and
            last at the question summary.
    """

    grid: tuple[int, int]
    mean: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LatentUse:
    """All evidence and the verdict.

    Attributes:
        verdict: one word and its sentence; None without latent tokens.
        questions: rows that were examined.
        images: distinct images of these.
        followed_share: of the answers that change with the latents of the same
            question about another image, the share that becomes the answer about
            that image; None where none changes.
        arms: the base arm first, by name.
        movement: how far the latent moves when an input is changed, as a share
            of the mean squared distance between two examples.
        cosine: mean cosine between the latents of two examples.
        active_units: units whose mean varies over the rows; None without any.
        units: K x Z.
        token_ranking: latent tokens, the one whose removal costs most first.
        information: bound and gain.
        mutual_information: None in the short form.
        attention: None in the short form.
        margin: exact match that a harmless exchange may cost; None in files of
            earlier versions.
        map_divergence: mean Jensen-Shannon divergence between the attention of two
            questions about one image, in bits; None where no image has two, without
            latent tokens, and in files of earlier versions.
    """

    verdict: LatentUseVerdict | None
    questions: int
    images: int
    arms: Mapping[str, Arm]
    movement: Mapping[str, Estimate]
    cosine: Estimate | None
    active_units: int | None
    units: int
    token_ranking: tuple[int, ...]
    information: Information
    mutual_information: MutualInformation | None
    attention: MeanAttention | None
    followed_share: float | None = None
    margin: float | None = None
    map_divergence: float | None = None


def rank_tokens(arms: Mapping[str, Arm], tokens: int) -> tuple[int, ...]:
    """Latent tokens that were removed one at a time, the costliest first.

    Args:
        arms: by name.
        tokens: K.
    """
    found = [(token, arms.get(f"without_token_{token}")) for token in range(tokens)]
    known = [(token, arm) for token, arm in found if arm is not None]
    known.sort(key=lambda item: (item[1].exact_match.value, -item[1].answer_nll.value))
    return tuple(token for token, _ in known)
