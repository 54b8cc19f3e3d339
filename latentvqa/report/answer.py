"""One answered question as a piece of HTML, for a notebook or a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.figures import probability
from latentvqa.report.evaluation.attention import HOW_TO_READ
from latentvqa.report.evaluation.heat_map import RAMP
from latentvqa.report.pages import rendered


@dataclass(frozen=True)
class ShownMap:
    """A picture of where tokens looked.

    Attributes:
        name: whose map it is.
        at_question: how much of the attention goes to the question, in words.
        jpeg: the picture, as the content of a JPEG file.
    """

    name: str
    at_question: str
    jpeg: bytes

    @property
    def address(self) -> str:
        """The picture as an address."""
        return _address(self.jpeg)


@dataclass(frozen=True)
class ShownMaps:
    """Where the tokens looked.

    Attributes:
        pictures: the image first, then the map of all tokens, then that of each.
        highest: what the brightest colour stands for.
        notice: what a reader should know of them; empty where nothing.
    """

    pictures: Sequence[ShownMap]
    highest: str
    notice: str = ""


def answer_html(
    *,
    question: str,
    answers: Sequence[tuple[str, float]],
    note: str = "",
    picture: bytes = b"",
    maps: ShownMaps | None = None,
) -> str:
    """Show a question with its answers, the likeliest first, every text escaped.

    It needs nothing but itself: no script, no style of its surroundings, no address.

    Args:
        question: as asked.
        answers: texts with their probabilities, the given one first.
        note: what a reader should know of the answer.
        picture: the picture, as the content of a JPEG file; not shown beside maps,
            which hold it.
        maps: where the tokens looked.
    """
    return rendered(
        "answer.html",
        question=question,
        answers=[
            {"text": text, "probability": probability(share), "width": f"{100.0 * share:.1f}"}
            for text, share in answers
        ],
        note=note,
        picture=_address(picture) if picture and maps is None else None,
        maps=maps,
        how_to_read=HOW_TO_READ,
        ramp=RAMP,
    )


def _address(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"
