"""Answered questions with their images, as the page shows them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from latentvqa.core.figures import probability

SHARP = 160  # pixels, up to which an image is enlarged without smoothing


@dataclass(frozen=True)
class Sample:
    """One answered question to show.

    Attributes:
        question: the question.
        answer: what the model said.
        reference: the expected answer, if there is one.
        confidence: probability of the whole answer, as a fraction.
        is_correct: whether the answer equals a reference; None if unknown.
        image: encoded image, as large as the page shows it.
        image_type: its media type.
        size: width and height of the image in pixels.
        image_name: what the table calls the image.
        kind: why the answer is shown, as ``surest wrong``.
    """

    question: str
    answer: str
    reference: str | None = None
    confidence: float | None = None
    is_correct: bool | None = None
    image: bytes | None = None
    image_type: str = "image/jpeg"
    size: tuple[int, int] = (1, 1)
    image_name: str = ""
    kind: str = ""

    @property
    def image_url(self) -> str | None:
        """The image within the address itself, so that the page asks for nothing."""
        if self.image is None:
            return None
        return f"data:{self.image_type};base64,{b64encode(self.image).decode('ascii')}"

    @property
    def confidence_text(self) -> str | None:
        """The confidence in percent."""
        return None if self.confidence is None else probability(self.confidence)

    @property
    def is_tiny(self) -> bool:
        """Whether the image is shown larger than it is, so that its pixels should stay sharp."""
        return max(self.size) <= SHARP
