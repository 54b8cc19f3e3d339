"""``latentvqa.load``: a trained model that answers questions about pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentvqa.data.decoding import convert_picture
from latentvqa.engine.complete_run import Run
from latentvqa.engine.prediction.predict import answer_images
from latentvqa.engine.runs.loading import LoadedModel, load_model
from latentvqa.errors import ConfigError

Picture = Path | str | Image.Image | NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What a model says.

    Attributes:
        answer: the text.
        probability: of the whole answer, between 0 and 1, calibrated on the
            validation split where the run was evaluated.
    """

    answer: str
    probability: float


class Answerer:
    """Answers questions about pictures as ``latentvqa predict`` does.

    Args:
        loaded: the model.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    @property
    def checkpoint(self) -> Path:
        """Folder that the model was read from."""
        return self._loaded.folder

    @property
    def notes(self) -> tuple[str, ...]:
        """What its reader should know, as that it was made by another version."""
        return self._loaded.notes

    def answer(self, image: Picture, question: str, *, samples: int = 0) -> Answer:
        """Answer one question about one picture.

        Args:
            image: a file, a Pillow image, or uint8 RGB pixels, shape ``(H, W, 3)``.
            question: its text.
            samples: latent samples to answer from; 0 answers from the mean.

        Raises:
            DataError: if the picture cannot be decoded or has another shape.
            ConfigError: for an empty question or a negative number of samples.
        """
        return self.predict([image], [question], samples=samples)[0][0]

    def predict(
        self, images: Sequence[Picture], questions: Sequence[str], *, samples: int = 0
    ) -> list[list[Answer]]:
        """Answer every question about every picture.

        Args:
            images: files, Pillow images, or uint8 RGB pixels, shape ``(H, W, 3)``.
            questions: asked of each picture.
            samples: latent samples to answer from; 0 answers from the mean.

        Returns:
            A list for each picture, with an answer to each question.

        Raises:
            DataError: at the first picture that cannot be decoded or has another
                shape.
            ConfigError: if there is no question, an empty one, or a negative
                number of samples.
        """
        if isinstance(questions, str):
            raise ConfigError("questions is one text: give a list of questions")
        if isinstance(images, (str, Path, Image.Image)):
            raise ConfigError("images is one picture: give a list of pictures")
        if not questions or not all(question.strip() for question in questions):
            raise ConfigError("nothing is asked: every question needs a text")
        if samples < 0:
            raise ConfigError(f"samples = {samples}: must be at least 0")
        pictures = [
            Path(one) if isinstance(one, (str, Path)) else convert_picture(one) for one in images
        ]
        found = answer_images(self._loaded, pictures, questions, samples=samples)
        return [[Answer(*one) for one in of_image] for of_image in found]


def load(run: Run | Path | str, *, device: str = "auto") -> Answerer:
    """Load a trained model, offline and with no settings to match.

    Example:
        >>> model = latentvqa.load("runs/quickstart")  # doctest: +SKIP
        >>> model.answer("photo.jpg", "what colour is the ball?").answer  # doctest: +SKIP

    Args:
        run: a finished run, a run folder (its best checkpoint), ``RUN/last``, or a
            checkpoint's folder.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        CheckpointError: if there is no checkpoint or it is damaged.
        ConfigError: if the device is not there.
    """
    return Answerer(load_model(run.folder if isinstance(run, Run) else Path(run), device))
