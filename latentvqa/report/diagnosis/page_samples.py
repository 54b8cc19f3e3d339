"""Answered questions with their images, as the HTML page shows them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from latentvqa.core.figures import percent


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

    @property
    def image_url(self) -> str | None:
        """The image within the address itself, so that the page asks for nothing."""
        if self.image is None:
            return None
        return f"data:{self.image_type};base64,{b64encode(self.image).decode('ascii')}"

    @property
    def confidence_text(self) -> str | None:
        """The confidence in percent."""
        return None if self.confidence is None else percent(self.confidence)
