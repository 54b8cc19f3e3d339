"""Pictures of what the latent tokens attend to, one per image that is asked about."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from latentvqa.data.folders.pictures import PictureFile
from latentvqa.data.formats.faults import HARD_MAX_PIXELS
from latentvqa.durable import create_file, replace_file, unfinished_name
from latentvqa.engine.metrics.map_divergence import map_divergence
from latentvqa.engine.prediction.predict import Prediction
from latentvqa.errors import OutputError
from latentvqa.outputs import is_same_file
from latentvqa.report.evaluation.attention import AttentionExample, attention_png
from latentvqa.report.evaluation.map_notice import sameness_notice

MOST_QUESTIONS = 20  # of one image in a picture


class PredictionPictures:
    """Writes a picture of the latent tokens' attention for every image that is asked about.

    Args:
        folder: where the pictures go, named for the images.
        images: what is asked about.
        grid: rows and columns of the patches.
    """

    def __init__(self, folder: Path, images: Sequence[PictureFile], grid: tuple[int, int]) -> None:
        self._folder, self._images, self._grid = folder, images, grid
        self._held: list[Prediction] = []
        self._drawn: Counter[Path] = Counter()  # pictures of each place

    def add(self, prediction: Prediction) -> None:
        """Take the next answer; answers about one image come one after the other."""
        if self._held and self._held[0].image != prediction.image:
            self.finish()
        if prediction.attention is not None:
            self._held.append(prediction)

    def finish(self) -> None:
        """Write the picture of the image that is under way, first questions first."""
        held, self._held = self._held, []
        if not held:
            return
        image = np.asarray(self._images[held[0].asked.picture].read(HARD_MAX_PIXELS).image)
        examples = [
            AttentionExample(image, row.question, row.answer, row.attention, row.confidence)
            for row in held[:MOST_QUESTIONS]
            if row.attention is not None
        ]
        path = picture_place(self._folder, held[0].image)
        self._drawn[path] += 1
        if (number := self._drawn[path]) > 1:  # a table came back to the image
            path = path.with_name(f"{path.stem} {number}.png")
        by_question = {one.question: one.attention for one in examples}
        notice = sameness_notice(map_divergence(np.stack(list(by_question.values()))))
        content = attention_png(self._grid, examples, notice=notice)
        with _faults_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)


def picture_place(folder: Path, image: str) -> Path:
    """Where the picture about an image goes: in the folder, whatever the image's name.

    An image that was named by its whole path lends its last part.
    """
    parts = [part for part in image.split("/") if part not in ("", ".", "..")]
    parts = parts[-1:] if image.startswith("/") else parts
    return folder.joinpath(*parts[:-1], f"{parts[-1]}.png")


def require_free(
    folder: Path, images: Sequence[PictureFile], inputs: Iterable[Path], *, overwrite: bool
) -> None:
    """Refuse a folder that pictures must not or cannot be written into.

    Args:
        folder: where they are to go.
        images: what is asked about.
        inputs: files and folders that are read.
        overwrite: whether earlier pictures may be replaced.

    Raises:
        OutputError: saying what is in the way, and what to do.
    """
    said = f"--explain {folder}"
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"{said}: is a file. Name a folder for the pictures.")
    places = [picture_place(folder, image.name) for image in images]
    read = {os.path.realpath(image.path) for image in images}
    is_read = any(is_same_file(folder, one) for one in inputs)
    if is_read or any(os.path.realpath(place) in read for place in places):
        raise OutputError(f"{said}: what is read lies there. Name another folder.")
    known = [] if overwrite else [place for place in places if os.path.lexists(place)]
    if known:
        raise OutputError(
            f"{said}: {len(known)} of the pictures are there already, the first is {known[0]}. "
            "Replace them with --overwrite."
        )
    above = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    with _faults_named(folder):
        probe = unfinished_name(above / "picture")
        create_file(probe).close()
        probe.unlink()


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"--explain: {path}: cannot be written: {error.strerror}") from error
