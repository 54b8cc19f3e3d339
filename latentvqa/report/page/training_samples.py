"""How the answers to the same few questions changed over the epochs, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from latentvqa.core.figures import counted, probability
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.report.page.samples import Sample
from latentvqa.report.page.svg import framed, line, rectangle

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_BARS = 200  # epochs that have a bar
MOST_STRETCHES = 60  # of the same answer that are listed
SLOT, GAP, MIDDLE = 10, 2, 22  # width of a bar's place, room in it, height of one half
LEAST = 1.5  # height of a bar whose confidence is next to nothing


@dataclass(frozen=True)
class TrainingSample:
    """A question that was asked after several epochs.

    Attributes:
        shown: the question with its image and its last answer.
        answers: epochs rising; at least one.
    """

    shown: Sample
    answers: tuple[SampleAnswer, ...]


@dataclass(frozen=True)
class Stretch:
    """Epochs one after the other that gave the same answer.

    Attributes:
        first: the first of them.
        last: the last of them.
        answer: what was said.
        is_right: whether it was right.
    """

    first: int
    last: int
    answer: str
    is_right: bool

    @property
    def when(self) -> str:
        """The epochs in words."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def stretches(answers: Sequence[SampleAnswer]) -> list[Stretch]:
    """Where the answer changed.

    Args:
        answers: to one question, epochs rising.
    """
    found = []
    for (answer, is_right), same in groupby(answers, lambda one: (one.answer, one.is_right)):
        epochs = [one.epoch for one in same]
        found.append(Stretch(epochs[0], epochs[-1], answer, is_right))
    return found


def confidence_bars(answers: Sequence[SampleAnswer], epochs: Sequence[int]) -> str:
    """A bar for each epoch: upward where the answer was right, downward where it was wrong.

    Args:
        answers: to one question, epochs rising.
        epochs: that have a place, so that the bars of several questions stand in line.

    Returns:
        An ``<svg>`` element that stretches to any width; it holds no text.
    """
    known = {one.epoch: one for one in answers}
    parts = [line("grid zero", 0, MIDDLE, SLOT * len(epochs), MIDDLE)]
    for place, epoch in enumerate(epochs):
        one = known.get(epoch)
        if one is None:
            continue
        height = max(LEAST, MIDDLE * min(max(one.confidence, 0.0), 1.0))
        said = "right" if one.is_right else "wrong"
        told = (
            f"epoch {epoch}: {one.answer or 'no word'}, {said}, {probability(one.confidence)} sure"
        )
        top = MIDDLE - height if one.is_right else MIDDLE
        x = SLOT * place + GAP / 2
        parts.append(rectangle(f"said {said}", x, top, SLOT - GAP, height, told))
    name = f"{sum(one.is_right for one in answers)} of {counted(len(answers), 'answer')} right"
    picture = framed(name, 2 * MIDDLE, "".join(parts), SLOT * len(epochs))
    return picture.replace("<svg ", '<svg preserveAspectRatio="none" ', 1)


def training_view(samples: Sequence[TrainingSample]) -> dict[str, Any] | None:
    """What the template shows of all questions; None where there are none."""
    if not samples:
        return None
    epochs = sorted({one.epoch for sample in samples for one in sample.answers})
    count = min(MOST_BARS, len(epochs))
    drawn = [epochs[(step + 1) * len(epochs) // count - 1] for step in range(count)]
    return {
        "asked": counted(len(samples), "question"),
        "epochs": counted(len(epochs), "epoch"),
        "first": drawn[0],
        "last": drawn[-1],
        "count": len(drawn),
        "questions": [_question(sample, drawn) for sample in samples],
    }


def _question(sample: TrainingSample, epochs: Sequence[int]) -> dict[str, Any]:
    found = stretches(sample.answers)[::-1]
    return {
        "shown": sample.shown,
        "bars": _markup(confidence_bars(sample.answers, epochs)),
        "stretches": found[:MOST_STRETCHES],
        "left_out": max(len(found) - MOST_STRETCHES, 0),
    }


def _markup(svg: str) -> Markup:
    """A picture, whose texts are escaped where it is drawn."""
    from markupsafe import Markup

    return Markup(svg)
