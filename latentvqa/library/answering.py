"""``latentvqa.load``: a trained model that answers questions about pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentvqa.core.figures import counted
from latentvqa.data.cells import clean_text
from latentvqa.engine.complete_run import Run
from latentvqa.engine.export.export import Exported, export_model, require_free
from latentvqa.engine.export.packages import require_packages
from latentvqa.engine.metrics.map_divergence import map_divergence
from latentvqa.engine.prediction.answerer import QUESTIONS_PER_BATCH, BatchAnswerer, Found
from latentvqa.engine.runs.latent_use import map_divergence_of
from latentvqa.engine.runs.loading import LoadedModel, load_model
from latentvqa.errors import ConfigError, DataError
from latentvqa.library.answers import SHOWN_PIXELS, Answer, Attention, jpeg_of
from latentvqa.library.pictures import Picture, image_of
from latentvqa.report.evaluation.map_notice import sameness_notice

MOST_ANSWERS = 100  # of one question


class Answerer:
    """Answers questions about pictures as ``latentvqa predict`` does.

    A picture is a path, the bytes of a picture file, a Pillow image, an array of shape
    ``(H, W, 3)`` or ``(H, W)``, or a tensor, channels first or last; uint8, or floating
    point from 0 to 1.

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

    @property
    def has_latent(self) -> bool:
        """Whether it answers through latent tokens, whose attention can be asked for."""
        return self._loaded.has_latent

    def answer(
        self,
        image: Picture,
        question: str,
        *,
        samples: int = 0,
        top: int = 1,
        attention: bool = False,
    ) -> Answer:
        """Answer one question about one picture.

        Args:
            image: the picture.
            question: its text.
            samples: latent samples to answer from; 0 answers from the mean.
            top: likely answers in all, the given one and ``top - 1`` others.
            attention: keep where each latent token looked.

        Raises:
            DataError: if the picture cannot be used, or the model's numbers run over.
            ConfigError: for an empty question, a number out of its range, or attention
                where the model has no latent tokens.
        """
        if not isinstance(question, str):
            raise ConfigError(
                f"question is of type {type(question).__name__}: give one text, or use "
                "answer_batch for several"
            )
        asked = self._asked([question], samples, top, attention)
        return next(asked.about([image]))[0]

    def answer_batch(
        self,
        images: Sequence[Picture],
        questions: Sequence[str],
        *,
        samples: int = 0,
        top: int = 1,
        attention: bool = False,
    ) -> list[Answer]:
        """Answer the first question about the first picture, the second about the second, ...

        Questions about one picture cost least where it is the same path or object each
        time.

        Args:
            images: the pictures.
            questions: one for each.
            samples: latent samples to answer from; 0 answers from the mean.
            top: likely answers in all, the given one and ``top - 1`` others.
            attention: keep where each latent token looked.

        Returns:
            An answer for each pair.

        Raises:
            DataError: at the first picture that cannot be used.
            ConfigError: if they are not as many, and as :meth:`answer`.
        """
        _require_lists(images, questions)
        if len(images) != len(questions):
            raise ConfigError(
                f"{counted(len(images), 'image')} and {counted(len(questions), 'question')}: give "
                "one question for each image, or use predict to ask every question about every "
                "image"
            )
        places: dict[str | int, list[int]] = {}
        for place, image in enumerate(images):
            is_path = isinstance(image, (str, os.PathLike))
            places.setdefault(os.fspath(image) if is_path else id(image), []).append(place)  # type: ignore[arg-type]
        found: dict[int, Answer] = {}
        for same in places.values():
            asked = self._asked([questions[place] for place in same], samples, top, attention)
            found.update(zip(same, next(asked.about([images[same[0]]])), strict=True))
        return [found[place] for place in range(len(images))]

    def predict(
        self,
        images: Sequence[Picture],
        questions: Sequence[str],
        *,
        samples: int = 0,
        top: int = 1,
        attention: bool = False,
    ) -> list[list[Answer]]:
        """Answer every question about every picture.

        Args:
            images: the pictures.
            questions: asked of each picture.
            samples: latent samples to answer from; 0 answers from the mean.
            top: likely answers in all, the given one and ``top - 1`` others.
            attention: keep where each latent token looked.

        Returns:
            A list for each picture, with an answer to each question.

        Raises:
            DataError: at the first picture that cannot be used.
            ConfigError: if there is no question, and as :meth:`answer`.
        """
        _require_lists(images, questions)
        return list(self._asked(questions, samples, top, attention).about(images))

    def export(self, out: Path | str, *, overwrite: bool = False) -> Exported:
        """Write the model as ONNX, to run it without PyTorch, as ``latentvqa export`` does.

        Args:
            out: folder for the files; what else lies there stays.
            overwrite: replace the files of an earlier export.

        Returns:
            The files, and how far their numbers are from PyTorch's.

        Raises:
            ConfigError: without the packages of the extra ``onnx``.
            CheckpointError: if the model cannot be exported; nothing is written then.
            OutputError: if the files are there already, or cannot be written.
        """
        require_packages()
        require_free(Path(out), self.checkpoint, overwrite=overwrite)
        is_on_cpu = self._loaded.device.type == "cpu"
        loaded = self._loaded if is_on_cpu else load_model(self.checkpoint, "cpu")
        return export_model(loaded, Path(out), overwrite=overwrite)

    def _asked(self, questions: Sequence[str], samples: int, top: int, attention: bool) -> _Asked:
        if not questions or not all(isinstance(one, str) and clean_text(one) for one in questions):
            raise ConfigError("nothing is asked: every question needs a text")
        if samples < 0:
            raise ConfigError(f"samples = {samples}: must be at least 0")
        if not 1 <= top <= MOST_ANSWERS:
            raise ConfigError(f"top = {top}: must be from 1 to {MOST_ANSWERS}")
        if attention and not self.has_latent:
            raise ConfigError(
                f"{self.checkpoint}: this model answers without latent tokens, so there is no "
                "attention of theirs to show"
            )
        answerer = BatchAnswerer(self._loaded, questions, samples, attention, top)
        return _Asked(self._loaded, questions, answerer)


@dataclass(frozen=True)
class _Asked:
    """Questions that are asked of picture after picture."""

    loaded: LoadedModel
    questions: Sequence[str]
    answerer: BatchAnswerer

    def about(self, images: Sequence[Picture]) -> Iterator[list[Answer]]:
        """The answers about each picture, as many pictures at a time as memory bears."""
        step = max(1, QUESTIONS_PER_BATCH // len(self.questions))
        for start in range(0, len(images), step):
            pixels: list[NDArray[np.uint8]] = []
            shown: list[bytes] = []
            for picture in images[start : start + step]:
                image = image_of(picture, max_pixels=self.loaded.max_pixels)
                pixels.append(self.answerer.transform(image))
                shown.append(jpeg_of(image, SHOWN_PIXELS))
            for jpeg, found in zip(shown, self.answerer.answer(np.stack(pixels)), strict=True):
                notice = self._notice([weights for _, _, weights, _ in found])
                yield [self._answer(place, one, jpeg, notice) for place, one in enumerate(found)]

    def _notice(self, looked: Sequence[NDArray[np.float32] | None]) -> str:
        """What is to be said of the maps: from this picture's questions, else from the run."""
        by_question = {
            question: weights
            for question, weights in zip(self.questions, looked, strict=True)
            if weights is not None
        }
        if not by_question:
            return ""
        divergence = map_divergence(np.stack(list(by_question.values())))
        if divergence is None:
            divergence = map_divergence_of(self.loaded.folder)
        return sameness_notice(divergence)

    def _answer(self, place: int, found: Found, jpeg: bytes, notice: str) -> Answer:
        answer, probability, weights, others = found
        if not math.isfinite(probability):
            raise DataError("the model's numbers run over for this picture: NaN or infinite")
        attention = None
        if weights is not None:
            grid = self.loaded.model.vision.grid
            attention = Attention(weights[:, :-1].reshape(-1, *grid), weights[:, -1], notice)
        note = self.answerer.notes[place]
        return Answer(answer, probability, others, self.questions[place], note, attention, jpeg)


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


def _require_lists(images: Sequence[Picture], questions: Sequence[str]) -> None:
    """Refuse one text or one picture where many are expected: either can be gone through."""
    if isinstance(questions, str):
        raise ConfigError("questions is one text: give a list of questions")
    is_stack = isinstance(images, (np.ndarray, torch.Tensor)) and images.ndim == 4
    is_one = isinstance(
        images,
        (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, np.ndarray, torch.Tensor),
    )
    if is_one and not is_stack:
        raise ConfigError("images is one picture: give a list of pictures")
