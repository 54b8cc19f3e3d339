"""Is the latent used? Rules on measured exchanges; the caller measures them.

An exchange is harmless only where its whole effect lies inside the margin (two
one-sided tests, Schuirmann 1987), never because no difference could be shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from latentvqa.core.exchanges import Exchange, ExchangeLimits, Span
from latentvqa.core.figures import counted, points
from latentvqa.core.rules.thresholds import KLHealthThresholds

LatentUseWord = Literal[
    "used, image and question",
    "used, question only",
    "presence only",
    "bypassed",
    "ignored",
    "collapsed",
    "not learnt",
    "undetermined",
    "used",  # this and the next in files of earlier versions alone
    "partly used",
]
Says = Literal["matters", "harmless", "open"]
_FEWEST_IMAGES = 20  # a spread that was measured on fewer is hardly known itself


@dataclass(frozen=True)
class LatentUseEvidence:
    """The numbers that decide.

    Attributes:
        lead: exact match from the posterior mean, less that of the best image-blind
            model, which was fitted on training rows.
        images: distinct images of the rows.
        zero: the latents replaced by zeros.
        any_example: by those of another row, whatever its question.
        matched: by random ones of the data's own mean and variance.
        other_image: by those of the same question about another image.
        shown_image: another image given to the whole model, question unchanged.
        followed: share of the answers that ``other_image`` changes that become the
            answer to the question about that image; None where none changes.
        active_units: dimensions whose mean varies over the rows.
        capacity: nats that the latent can carry; None without a Gaussian latent.
        gain: nats learnt beyond the frequencies of answers; None where unknown.
        need: nats that knowing only those frequencies costs; None where unknown.
    """

    lead: Span
    images: int
    zero: Exchange
    any_example: Exchange
    matched: Exchange
    other_image: Exchange
    shown_image: Exchange
    followed: float | None
    active_units: int | None
    capacity: float | None
    gain: float | None
    need: float | None


@dataclass(frozen=True)
class LatentUseVerdict:
    """A verdict and the sentence with the numbers behind it.

    Attributes:
        word: the verdict.
        sentence: what was measured.
        images_needed: images that would decide; None where it is decided.
    """

    word: LatentUseWord
    sentence: str
    images_needed: int | None = None


def judge_latent_use(
    evidence: LatentUseEvidence, limits: ExchangeLimits | None = None
) -> LatentUseVerdict:
    """Say whether the decoder needs the latent, and whether the image speaks through it.

    Args:
        evidence: the measured numbers.
        limits: what a harmless exchange may do.
    """
    seen = _Reading(evidence, limits or ExchangeLimits())
    if collapse := seen.collapse():
        return LatentUseVerdict("collapsed", f"The latent has collapsed: {collapse}.")
    if seen.is_not_learnt():
        return LatentUseVerdict("not learnt", seen.not_learnt())
    content = seen.says(evidence.any_example)  # not only that a latent is there
    if content == "matters":
        return seen.by_image()
    if content == "open":
        if seen.goes_around():
            return seen.bypassed("The image, or most of it,")
        return seen.undetermined("whether the decoder needs the latent", evidence.any_example)
    return seen.without_content()


class _Reading:
    """The evidence, read with its limits."""

    def __init__(self, evidence: LatentUseEvidence, limits: ExchangeLimits) -> None:
        self.evidence, self.limits = evidence, limits
        self.health = KLHealthThresholds()  # where collapse begins, as in the log

    def says(self, exchange: Exchange) -> Says:
        """Whether an exchange matters, is harmless, or could be either."""
        limits, cost, nats = self.limits, exchange.cost, exchange.nats
        agrees = exchange.flips <= limits.flips and nats.high_90 <= limits.nats
        if exchange.is_identical or (self.is_level(cost) and agrees):
            return "harmless"
        if cost.low > 0.0:
            return "matters"
        # answers that move from one wrong word to another are used all the same
        if exchange.flips > limits.flips and nats.low > limits.nats:
            return "matters"
        return "open"

    def is_level(self, cost: Span) -> bool:
        """Whether the whole interval of a cost lies inside the margin."""
        return -self.limits.margin < cost.low_90 and cost.high_90 < self.limits.margin

    def without_content(self) -> LatentUseVerdict:
        """The verdict on a latent whose content the decoder does not need."""
        evidence, shown = self.evidence, self.evidence.shown_image
        if self.says(shown) == "matters":
            return LatentUseVerdict(
                "bypassed",
                f"The image goes around the latent: another image {self.costs(shown)}, but "
                f"exchanging the latents {self.costs(evidence.any_example)}.",
            )
        if self.says(evidence.zero) == "matters":
            return LatentUseVerdict(
                "presence only",
                "The decoder needs some latent, whatever it holds: replacing it by zeros "
                f"{self.costs(evidence.zero)}, by a random one {self.costs(evidence.matched)}, by "
                f"another row's {self.costs(evidence.any_example)}.",
            )
        if self.says(shown) == "open":
            return self.undetermined("whether the image is used", shown)
        return LatentUseVerdict(
            "ignored",
            f"The latent is ignored: exchanging it {self.costs(evidence.any_example)}, and another "
            f"image {self.costs(shown)} {self.margin()}.",
        )

    def by_image(self) -> LatentUseVerdict:
        """The verdict on a latent that the decoder needs."""
        evidence, exchange = self.evidence, self.evidence.other_image
        shown = self.says(evidence.shown_image)
        if self.says(exchange) == "harmless":
            if shown == "matters":
                return self.bypassed("The image")
            return LatentUseVerdict(
                "used, question only",
                "The decoder needs the latent, but only the question speaks through it: exchanging "
                f"it for another row's {self.costs(evidence.any_example)}, for that of the same "
                f"question about another image {self.costs(exchange)} {self.margin()}. The score "
                "says nothing about the images.",
            )
        if self.says(exchange) == "open":
            if self.goes_around():
                return self.bypassed("The image, or most of it,")
            return self.undetermined("whether the image speaks through the latent", exchange)
        return self.image_matters(exchange)

    def image_matters(self, exchange: Exchange) -> LatentUseVerdict:
        """The verdict where an exchange for another image surely does something."""
        evidence, lead = self.evidence, self.evidence.lead.value
        if exchange.cost.low <= 0.0:
            return self.moves_answers(exchange)
        follows = evidence.followed is None or evidence.followed >= self.limits.followed_share
        pays = exchange.cost.value >= self.limits.used_share * lead
        # what the exchange leaves of the image's worth has gone around the latent
        around = evidence.shown_image.cost.low > exchange.cost.high
        if (around and not pays) or not follows:
            return self.bypassed("Part of the image")
        followed = ""
        if evidence.followed is not None:
            share = _percent(evidence.followed)
            followed = f" {share} % of the answers that change become the answer about that image."
        return LatentUseVerdict(
            "used, image and question",
            "The latent is used: exchanging it for that of the same question about another image "
            f"{self.costs(exchange)}; {self.lead(lead)}.{followed}",
        )

    def goes_around(self) -> bool:
        """Whether the image surely costs more than the latent, and too much to come through it.

        That needs no proof that the exchange of latents costs nothing.
        """
        most = self.evidence.other_image.cost.high
        pays = most >= self.limits.used_share * self.evidence.lead.value
        return self.evidence.shown_image.cost.low > most and not pays

    def bypassed(self, what: str) -> LatentUseVerdict:
        """The verdict on an image that reaches the answers another way."""
        return LatentUseVerdict(
            "bypassed",
            f"{what} goes around the latent: another image "
            f"{self.costs(self.evidence.shown_image)}, but exchanging the latent for that of the "
            f"same question about another image {self.costs(self.evidence.other_image)}.",
        )

    def undetermined(self, what: str, exchange: Exchange) -> LatentUseVerdict:
        """What cannot be said on so few images, and how many would do."""
        needed = self.images_needed(exchange.cost)
        return LatentUseVerdict(
            "undetermined",
            f"{counted(self.evidence.images, 'image')} cannot tell {what}: the exchange "
            f"{self.costs(exchange)}, which is neither surely a loss nor surely within "
            f"{points(self.limits.margin)} points. About {needed:,} images would tell.",
            needed,
        )

    def moves_answers(self, exchange: Exchange) -> LatentUseVerdict:
        """The verdict on an image that changes answers, for better or worse."""
        needed = None if self.is_level(exchange.cost) else self.images_needed(exchange.cost)
        right = f"It makes no more of them right {self.margin()}"
        if needed is not None:
            seen = counted(self.evidence.images, "image")
            right = f"{seen} cannot tell whether it makes more of them right, about {needed:,} can"
        return LatentUseVerdict(
            "undetermined",
            "The image moves the answers through the latent: exchanging it for that of the same "
            f"question about another image changes {_percent(exchange.flips)} % of them and costs "
            f"{exchange.nats.value:.2f} nats each. {right}: the exchange {self.costs(exchange)}; "
            f"{self.lead(self.evidence.lead.value)}.",
            needed,
        )

    def images_needed(self, cost: Span) -> int:
        """Images on which an interval as wide would exclude 0, or lie inside the margin."""
        seen, half = self.evidence.images, max((cost.high - cost.low) / 2.0, 1e-6)
        room = max(abs(cost.value), self.limits.margin - abs(cost.value), 1e-3)
        return max(_FEWEST_IMAGES, seen + 1, math.ceil(seen * (half / room) ** 2))

    def collapse(self) -> str:
        """What shows that the latent holds nothing; empty where nothing does."""
        evidence, limits = self.evidence, self.health
        gain, need, capacity = evidence.gain, evidence.need, evidence.capacity
        if gain is not None and need is not None and gain >= limits.collapse_gain * need:
            return ""  # what is learnt came some way, and the exchanges tell which
        if evidence.active_units == 0:
            return "no unit of it is active"
        if capacity is not None and need is not None and capacity < limits.collapse_bound * need:
            return (
                f"it can carry at most {capacity:.2f} nats of the {need:.2f} that the answers need"
            )
        return ""

    def is_not_learnt(self) -> bool:
        """Whether hardly anything was learnt, so that there is nothing to use a latent for."""
        gain, need, lead = self.evidence.gain, self.evidence.need, self.evidence.lead
        if gain is None or need is None:
            return False
        # on few rows a model that guesses is ahead half of the time
        is_ahead = lead.low > 0.0 and lead.value >= self.limits.margin
        return gain < self.health.collapse_gain * need and not is_ahead

    def not_learnt(self) -> str:
        """The sentence about a model that knows no more than frequencies."""
        gain, need = self.evidence.gain or 0.0, self.evidence.need or 0.0
        return (
            f"Hardly anything is learnt: {max(gain, 0.0):.2f} of the {need:.2f} nats that the "
            f"answers need, and {self.lead(self.evidence.lead.value)}."
        )

    def costs(self, exchange: Exchange) -> str:
        """What an exchange costs, in words."""
        if exchange.is_identical:
            return "changes no answer"
        cost = exchange.cost
        return f"costs {points(cost.value)} points ({points(cost.low)} to {points(cost.high)})"

    def margin(self) -> str:
        """The margin, in words."""
        return f"(margin {points(self.limits.margin)} points)"

    def lead(self, lead: float) -> str:
        """How the score compares with what needs no image."""
        where = "above" if lead >= 0.0 else "below"
        return f"the score is {points(abs(lead))} points {where} the best image-blind model"


def _percent(share: float) -> str:
    return f"{share * 100:.0f}"
