"""The score of a run beside what the question alone and another image give.

The first thing on the page: three bars and one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted
from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.core.results.latent_use import OTHER_IMAGE, LatentUse
from latentvqa.core.rules.rule import finite
from latentvqa.history import History
from latentvqa.report.page.words import (
    interval_text,
    points_text,
    prior_name,
    share_text,
    width_text,
)

WORD_LEVELS = {
    "used, image and question": "ok",
    "used": "ok",  # this and the next in files of earlier versions alone
    "partly used": "warning",
    "used, question only": "warning",
    "undetermined": "warning",
}


@dataclass(frozen=True)
class ScoreBar:
    """A share of right answers.

    Attributes:
        name: what answered.
        note: what it is, in a few words.
        value: the share.
        low: lower end of its interval, if there is one.
        high: upper end.
        kind: ``score``, ``prior`` or ``other``.
    """

    name: str
    note: str
    value: float
    low: float | None = None
    high: float | None = None
    kind: str = "score"

    @property
    def value_text(self) -> str:
        """The share in percent."""
        return share_text(self.value)

    @property
    def at(self) -> str:
        """Where the share ends, in percent of the bar."""
        return width_text(self.value)

    @property
    def low_at(self) -> str:
        """Where its interval begins."""
        return width_text(self.low or 0.0)

    @property
    def high_at(self) -> str:
        """Where its interval ends."""
        return width_text(self.high or 0.0)

    @property
    def interval(self) -> str:
        """Its interval in percent; empty without one."""
        return interval_text(self.low, self.high)


@dataclass(frozen=True)
class Headline:
    """What the page begins with.

    Attributes:
        bars: the score first.
        sentence: what they amount to.
        source: what was answered, by which checkpoint.
    """

    bars: tuple[ScoreBar, ...]
    sentence: str
    source: str


def headline_of(found: EvaluationResult, table: str) -> Headline:
    """The headline of an evaluation.

    Args:
        found: the evaluation.
        table: what the table is called.
    """
    score, prior, use = found.metrics["exact_match"], found.best_prior, found.latent_use
    bars = [ScoreBar("The model", "exact match", score.value, score.low, score.high)]
    if prior is not None:
        note = f"best model without images: {prior_name(prior[0])}"
        bars.append(ScoreBar("The question alone", note, prior[1], kind="prior"))
    if use is not None and OTHER_IMAGE in use.arms:
        other = use.arms[OTHER_IMAGE].exact_match
        note = "same model and question, image exchanged"
        bars.append(ScoreBar("Another image", note, other.value, other.low, other.high, "other"))
    asked = f"{counted(found.questions, 'question')} on {counted(found.images, 'image')}"
    source = f"{table[:1].upper()}{table[1:]}: {asked}, checkpoint {found.checkpoint}."
    return Headline(
        tuple(bars),
        _sentence(score, None if prior is None else prior[1], use),
        f"{source} Ranges are 95\N{NO-BREAK SPACE}% intervals.",
    )


def headline_of_log(history: History) -> Headline | None:
    """The headline where nothing was evaluated: the best epoch of the log; None without one."""
    known = [r for r in history.records if finite(r.val.exact_match) is not None]
    if not known:
        return None
    best_epoch = known[-1].best_epoch
    record = next((r for r in known if r.epoch == best_epoch), known[-1])
    score = Estimate(record.val.exact_match or 0.0, None, None, 0)
    bars = [ScoreBar("The model", "exact match", score.value)]
    prior = _best_prior(history.header.blind)
    if prior is not None:
        note = f"best model without images: {prior_name(prior[0])}"
        bars.append(ScoreBar("The question alone", note, prior[1], kind="prior"))
    which = "best epoch" if record.epoch == best_epoch else "last epoch"
    return Headline(
        tuple(bars),
        _sentence(score, None if prior is None else prior[1], None),
        f"Validation as it was logged, {which} ({record.epoch}); without an interval.",
    )


def _best_prior(blind: Mapping[str, Mapping[str, float]]) -> tuple[str, float] | None:
    known = {
        name: scores["exact_match"] for name, scores in blind.items() if "exact_match" in scores
    }
    return max(known.items(), key=lambda item: item[1], default=None)


def _sentence(score: Estimate, prior: float | None, use: LatentUse | None) -> str:
    said = f"{share_text(score.value)} of the answers are right{_beside_prior(score, prior)}"
    if use is not None and OTHER_IMAGE in use.arms:
        said += _beside_other_image(use.arms[OTHER_IMAGE].difference, use.images)
    return f"{said}."


def _beside_prior(score: Estimate, prior: float | None) -> str:
    if prior is None:
        return ""
    gain = score.value - prior
    if score.low is not None and score.high is not None and score.low <= prior <= score.high:
        return (
            f"; the question alone gives {share_text(prior)}, no clear difference on "
            f"{counted(score.n, 'question')}"
        )
    more = "more" if gain >= 0.0 else "fewer"
    return f", {points_text(gain)} {more} than from the question alone"


def _beside_other_image(change: Estimate, images: int) -> str:
    if change.sign < 0:
        return f"; with another image, {points_text(change.value)} fewer: the image matters"
    if change.sign > 0:
        return f"; with another image, {points_text(change.value)} more"
    verb = "does" if images == 1 else "do"
    return f"; {counted(images, 'image')} {verb} not show that the image matters"
