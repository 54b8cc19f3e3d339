"""Attention of the latent tokens as files: of rows of a table, and of predictions."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from latentvqa.data.decoding import decode_image
from latentvqa.durable import replace_file
from latentvqa.engine.evaluation import Evaluation
from latentvqa.engine.inference import Prediction
from latentvqa.report.attention import AttentionExample, attention_png

ATTENTION_FILES = ("attention.npz", "attention.png")
EXAMPLES = 6
MOST_QUESTIONS = 20  # of one image in a picture


def write_attention(evaluation: Evaluation, folder: Path) -> None:
    """Write ``attention.npz`` (each row's) and ``attention.png``, where there is attention.

    The archive holds ``rows`` (row numbers in the table's file) and ``attention``
    of shape ``(rows, K, P + 1)``: patches row by row, last the question summary.
    """
    used = evaluation.latent_use
    if used is None or used.attention is None:
        return
    buffer = BytesIO()
    np.savez_compressed(buffer, rows=used.rows, attention=used.attention)
    archive, drawing = (folder / name for name in ATTENTION_FILES)
    replace_file(archive, buffer.getvalue())
    mean = used.attention.mean(0, dtype=np.float64)
    picture = attention_png(used.grid, _examples(evaluation, used.rows, used.attention), mean)
    replace_file(drawing, picture)


class PredictionPictures:
    """Writes a picture of the latent tokens' attention for every image that is asked about.

    Args:
        folder: where the pictures go, named for the images.
        images: the folder that image names are relative to.
        grid: rows and columns of the patches.
    """

    def __init__(self, folder: Path, images: Path, grid: tuple[int, int]) -> None:
        self._folder, self._images, self._grid = folder, images, grid
        self._held: list[Prediction] = []

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
        image = np.asarray(decode_image(self._images / held[0].image))
        examples = [
            AttentionExample(image, row.question, row.answer, row.attention)
            for row in held[:MOST_QUESTIONS]
            if row.attention is not None
        ]
        path = self._folder / f"{held[0].image}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, attention_png(self._grid, examples))


def _examples(
    evaluation: Evaluation, rows: np.ndarray, attention: np.ndarray
) -> list[AttentionExample]:
    """Questions about different images, taken evenly from the examined rows."""
    table = evaluation.table
    places = np.flatnonzero(np.isin(table.rows, rows))  # of the examined rows in the table
    firsts = np.unique(table.image_index[places], return_index=True)[1]
    count = min(EXAMPLES, len(firsts))
    examples = []
    for turn, first in enumerate(firsts[np.arange(count) * len(firsts) // count]):
        same = np.flatnonzero(table.image_index[places] == table.image_index[places[first]])
        chosen = same[turn % len(same)]  # not every time an image's first question
        row = int(places[chosen])
        examples.append(
            AttentionExample(
                image=np.asarray(decode_image(table.image_paths[table.image_index[row]])),
                question=table.questions[row],
                answer=evaluation.answers[row],
                attention=attention[chosen],
            )
        )
    return examples
