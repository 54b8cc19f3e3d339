"""All that a prediction is written into: rows, a page, pictures of the attention."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentvqa.cli.prediction_files import Format, PredictionFile, RowStyle
from latentvqa.core.figures import counted
from latentvqa.errors import ConfigError
from latentvqa.outputs import NamedOutput

if TYPE_CHECKING:
    from latentvqa.engine.prediction.asking import Asking
    from latentvqa.engine.prediction.predict import Prediction
    from latentvqa.engine.runs.loading import LoadedModel


class PredictionOutputs:
    """Writes each prediction to wherever the user wants it.

    Args:
        asking: what is asked.
        style: what a row holds.
        out: file of the rows; None for stdout, or for no rows where a page is wanted.
        html: file of the page.
        explain: folder of the pictures.
        overwrite: whether what is there already may be replaced.
        is_resumed: go on with the rows of an earlier work.

    Attributes:
        failed: rows with an error, among those of this work.
        noted: rows with a note, likewise.
    """

    def __init__(
        self,
        asking: Asking,
        style: RowStyle,
        *,
        out: Path | None,
        html: Path | None,
        explain: Path | None,
        overwrite: bool,
        is_resumed: bool,
    ) -> None:
        if style.format is Format.vqa and (not asking.ids or (is_resumed and html is not None)):
            raise ConfigError(
                "--format vqa writes the ids of a table: give --pairs, with --column id=COLUMN"
                if not asking.ids
                else "--format vqa keeps no confidence, which --html shows: drop --resume or --html"
            )
        self._asking, self._style, self._overwrite = asking, style, overwrite
        self._out, self._explain = out, explain
        self._page = None if html is None else NamedOutput("--html", html, overwrite)
        output = None if out is None else NamedOutput("--out", out, overwrite)
        has_rows = out is not None or html is None
        self._file = PredictionFile(output, style, is_resumed=is_resumed) if has_rows else None
        if is_resumed and self._file is None:
            raise ConfigError("--resume goes on with the rows of a file: name it by --out")
        self._counted = self.failed = self.noted = 0

    @property
    def written(self) -> int:
        """Rows so far, those of an earlier work included."""
        return self._counted if self._file is None else self._file.written

    def require_writable(self, inputs: list[Path]) -> None:
        """Refuse what must not or cannot be written.

        Raises:
            OutputError: saying what is in the way, and what to do.
        """
        from latentvqa.engine.prediction.pictures import require_free

        if self._file is not None:
            self._file.require_writable(inputs)
        if self._page is not None:
            self._page.require_writable([*inputs, *([] if self._out is None else [self._out])])
        if self._explain is not None:
            require_free(self._explain, self._asking.pictures, inputs, overwrite=self._overwrite)

    def find_earlier(self, asked: str) -> int:
        """How many rows an earlier work has written, as told by a hash of the request.

        Raises:
            OutputError: if there are rows that this work cannot go on with.
        """
        return 0 if self._file is None else self._file.find_earlier(asked)

    @contextmanager
    def open(self, earlier: range, loaded: LoadedModel) -> Iterator[Callable[[Prediction], None]]:
        """Give a function that writes one prediction everywhere.

        Args:
            earlier: the rows of an earlier work.
            loaded: the model that answers.

        Raises:
            OutputError: if something cannot be written.
        """
        from latentvqa.engine.prediction.pictures import PredictionPictures
        from latentvqa.engine.runs.folder import run_of

        with ExitStack() as stack:
            writers: list[Callable[[Prediction], object]] = []
            pictures = None
            if self._file is not None:
                writers.append(stack.enter_context(self._file.open()))
            # the page is whole before the rows are: a later call could not make it again
            if self._page is not None:
                title = f"{run_of(loaded.folder).name}: answers"
                add = stack.enter_context(_gallery(self._page, title))
                for prediction in self._earlier(earlier):
                    add(prediction)
                writers.append(add)
            if self._explain is not None:
                grid = loaded.model.vision.grid
                pictures = PredictionPictures(self._explain, self._asking.pictures, grid)
                writers.append(pictures.add)

            def write(prediction: Prediction) -> None:
                for one in writers:
                    one(prediction)
                self._counted += 1
                self.failed += bool(prediction.error)
                self.noted += bool(prediction.note)

            yield write
            if pictures is not None:
                pictures.finish()

    def whereabouts(self) -> str:
        """Where the rows of a work that stopped are, as the end of a sentence."""
        return counted(self.written, "row") if self._file is None else self._file.whereabouts()

    def summary(self) -> str:
        """What was done, in one line."""
        text = f"{counted(self.written, 'row')}, {self.failed:,} with errors"
        if self.noted:
            text += f", {self.noted:,} whose question was cut or has words that training never had"
        places = [self._out, None if self._page is None else self._page.path]
        named = [str(place) for place in places if place is not None]
        return f"{text}, in {' and '.join(named)}" if named else text

    def _earlier(self, rows: range) -> Iterator[Prediction]:
        """What an earlier work wrote, with the pictures."""
        from latentvqa.engine.prediction.predict import Prediction, small_picture_of

        part = None if self._file is None else self._file.earlier_rows()
        if part is None or not rows:
            return
        former, picture = -1, None
        with part.open(encoding="utf-8", newline="") as file:
            lines = (
                csv.DictReader(file) if self._style.format is Format.csv else map(json.loads, file)
            )
            for place, cells in zip(rows, lines, strict=False):
                asked = self._asking.row(place)
                if asked.picture != former:
                    former = asked.picture
                    picture = small_picture_of(self._asking.pictures[former])
                yield Prediction(
                    image=self._asking.pictures[asked.picture].name,
                    question=self._asking.questions[asked.question],
                    answer=cells["answer"],
                    confidence=_share(cells["confidence"]),
                    error=cells["error"],
                    note=cells["note"],
                    others=tuple(_others(cells)),
                    asked=asked,
                    picture=picture,
                )


@contextmanager
def _gallery(page: NamedOutput, title: str) -> Iterator[Callable[[Prediction], None]]:
    from latentvqa.report.gallery.writer import GalleryRow, GalleryWriter

    with page.draft() as file:
        writer = GalleryWriter(file, title)

        def add(found: Prediction) -> None:
            row = GalleryRow(
                image=found.image,
                question=found.question,
                answer=found.answer,
                confidence=found.confidence,
                error=found.error,
                note=found.note,
                others=found.others,
                id=found.asked.id,
                reference=next(iter(found.asked.references), None),
                is_correct=None if found.error else found.asked.is_right(found.answer),
            )
            writer.add(row, found.picture)

        yield add
        writer.finish()


def _share(cell: Any) -> float | None:
    return None if cell in ("", None) else float(cell)


def _others(cells: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The next likely answers of a row that was read back."""
    for known in cells.get("others") or ():
        yield known["answer"], known["confidence"]
    for place in range(2, len(cells)):
        share = _share(cells.get(f"confidence_{place}"))
        if share is None:
            break
        yield cells[f"answer_{place}"], share
