"""Pictures of what the latent tokens attend to, one per image that is asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentvqa.data.decoding import HARD_MAX_PIXELS, decode_image
from latentvqa.durable import replace_file
from latentvqa.engine.prediction.predict import Prediction
from latentvqa.report.evaluation.attention import AttentionExample, attention_png

MOST_QUESTIONS = 20  # of one image in a picture


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
        image = np.asarray(decode_image(self._images / held[0].image, max_pixels=HARD_MAX_PIXELS))
        examples = [
            AttentionExample(image, row.question, row.answer, row.attention)
            for row in held[:MOST_QUESTIONS]
            if row.attention is not None
        ]
        path = self._folder / f"{held[0].image}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, attention_png(self._grid, examples))
