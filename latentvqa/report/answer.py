"""One answered question as a piece of HTML, for a notebook or a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from latentvqa.core.figures import percent
from latentvqa.report.pages import rendered


def answer_html(
    *,
    question: str,
    answers: Sequence[tuple[str, float]],
    note: str = "",
    picture: bytes = b"",
    maps: bytes = b"",
) -> str:
    """Show a question with its answers, the likeliest first, every text escaped.

    It needs nothing but itself: no script, no style of its surroundings, no address.

    Args:
        question: as asked.
        answers: texts with their probabilities, the given one first.
        note: what a reader should know of the answer.
        picture: the picture, as the content of a JPEG file; not shown beside maps,
            which hold it.
        maps: where the tokens looked, likewise.
    """
    return rendered(
        "answer.html",
        question=question,
        answers=[
            {"text": text, "percent": percent(share), "width": f"{100.0 * share:.1f}"}
            for text, share in answers
        ],
        note=note,
        picture=None if maps else _address(picture),
        maps=_address(maps),
    )


def _address(jpeg: bytes) -> str | None:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}" if jpeg else None
