"""Answered questions with their images, as a part of the HTML page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from latentvqa.core.rules.rule import percent


@dataclass(frozen=True)
class Sample:
    """One answered question to show.

    Attributes:
        question: the question.
        answer: what the model said.
        reference: the expected answer, if there is one.
        confidence: probability of the whole answer, as a fraction.
        is_correct: whether the answer equals a reference; None if unknown.
        image: encoded image, small.
        image_type: its media type.
    """

    question: str
    answer: str
    reference: str | None = None
    confidence: float | None = None
    is_correct: bool | None = None
    image: bytes | None = None
    image_type: str = "image/jpeg"


def samples_section(samples: Sequence[Sample], note: str = "") -> str:
    """The samples in a grid; empty without any.

    Args:
        samples: what to show.
        note: where they come from and how they were chosen.
    """
    if not samples:
        return ""
    said = f"<p>{escape(note)}</p>" if note else ""
    return f'<h2>Answers</h2>{said}<div class="samples">{"".join(map(_sample, samples))}</div>'


def _sample(sample: Sample) -> str:
    picture = ""
    if sample.image is not None:
        content = b64encode(sample.image).decode("ascii")
        picture = f'<img alt="" src="data:{escape(sample.image_type)};base64,{content}">'
    said = f"<b>{escape(sample.answer)}</b>"
    if sample.confidence is not None:
        said += f" <small>{escape(percent(sample.confidence))}</small>"
    if sample.is_correct is not None:
        said += ' <span class="tag ok">right</span>' if sample.is_correct else _WRONG
    if sample.reference is not None and not sample.is_correct:
        said += f"<br><small>expected {escape(sample.reference)}</small>"
    return f"<figure>{picture}<p>{escape(sample.question)}</p><p>{said}</p></figure>"


_WRONG = ' <span class="tag critical">wrong</span>'
