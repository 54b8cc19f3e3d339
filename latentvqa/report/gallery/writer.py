"""A gallery of answers: one HTML file, written row by row as the answers come.

No picture stays in memory. Each stands once in the file, inside ``<noscript>``: there
it is shown where scripts are off, and costs nothing until the script shows it.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from latentvqa.core.figures import counted, percent, probability
from latentvqa.report.gallery.picture import SmallPicture, small_picture
from latentvqa.report.pages import rendered

if TYPE_CHECKING:
    from PIL.Image import Image

_PLACE_OF_ROWS = "<!-- rows -->"


@dataclass(frozen=True)
class GalleryRow:
    """One answered question, or why it could not be answered.

    Attributes:
        image: its name as shown; rows of one name share one picture.
        question: as asked.
        answer: empty where there is an error.
        confidence: probability of the whole answer, as a fraction; None if unknown.
        error: empty where there is an answer.
        note: what of the question could not be read; empty where all could.
        others: the next likely answers with their probabilities.
        id: of the row in the user's table.
        reference: the right answer, where it is known.
        is_correct: whether the answer counts as right; None if unknown.
    """

    image: str
    question: str
    answer: str
    confidence: float | None
    error: str = ""
    note: str = ""
    others: tuple[tuple[str, float], ...] = ()
    id: str = ""
    reference: str | None = None
    is_correct: bool | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """What the page can be narrowed to."""
        marks = (("error", bool(self.error)), ("flagged", bool(self.error or self.note)))
        verdict = {True: "right", False: "wrong", None: ""}[self.is_correct]
        return (*(mark for mark, holds in marks if holds), *([verdict] if verdict else []))


class GalleryWriter:
    """Writes a gallery into a file that is open, from its head to its end.

    Args:
        file: takes the bytes, in order; never read, never sought in.
        title: of the page.
    """

    def __init__(self, file: BinaryIO, title: str) -> None:
        self._file = file
        self._title = title
        self._carriers: dict[str, _Carrier] = {}  # by the name of the image
        self._images: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._write(self._page().partition(_PLACE_OF_ROWS)[0])

    def add(self, row: GalleryRow, picture: Image | None) -> None:
        """Write a row, and its picture where no earlier row has written it.

        Args:
            row: what to show.
            picture: upright; None where it could not be read or an earlier row of the
                same image has had it.
        """
        self._counts["rows"] += 1
        self._counts.update(row.marks)
        self._images.add(row.image)
        carrier, small = self._carriers.get(row.image), None
        if carrier is None and picture is not None:
            small = small_picture(picture)
            carrier = _Carrier(self._counts["rows"], small.width, small.height)
            self._carriers[row.image] = carrier
        self._write(_row_markup(row, self._counts["rows"], carrier, small))

    def finish(self) -> None:
        """Write what comes after the last row."""
        self._write(self._page().partition(_PLACE_OF_ROWS)[2])

    def _page(self) -> str:
        """The page without its rows, as it is known so far."""
        from markupsafe import Markup

        script = rendered("gallery.js")
        digest = b64encode(sha256(script.encode()).digest()).decode("ascii")
        return rendered(
            "gallery.html",
            title=self._title,
            script=Markup(script),
            script_digest=digest,
            summary=_summary(self._counts, len(self._images)),
        )

    def _write(self, text: str) -> None:
        # in plain ASCII a browser reads the whole file in half the time and memory
        self._file.write(text.encode("ascii", "xmlcharrefreplace"))


@dataclass(frozen=True)
class _Carrier:
    """The row in which a picture stands, and the size of the picture."""

    number: int
    width: int
    height: int


def _row_markup(
    row: GalleryRow, number: int, carrier: _Carrier | None, small: SmallPicture | None
) -> str:
    return rendered(
        "gallery_row.html",
        row=row,
        number=number,
        carrier=carrier,
        address=None if small is None else small.address,
        confidence="" if row.confidence is None else probability(row.confidence),
        others=[(answer, probability(share)) for answer, share in row.others],
        reference="" if row.is_correct else row.reference,
    )


def _summary(counts: Counter[str], images: int) -> str:
    """What stands in the page, in one line."""
    parts = [f"{counted(counts['rows'], 'answer')} about {counted(images, 'image')}"]
    if counts["error"]:
        parts.append(counted(counts["error"], "error"))
    if noted := counts["flagged"] - counts["error"]:
        parts.append(f"{noted:,} with a note")
    if judged := counts["right"] + counts["wrong"]:
        share = percent(counts["right"] / judged)
        parts.append(f"{counts['right']:,} of {judged:,} right ({share})")
    return ", ".join(parts)
