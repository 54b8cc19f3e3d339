"""Answers for a folder of images, in stable order and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentvqa.data.decoding import ImageTransform
from latentvqa.engine.prediction.answerer import QUESTIONS_PER_BATCH, BatchAnswerer, Others
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.errors import ConfigError, DataError
from latentvqa.regular_files import read_regular_text
from latentvqa.stopping import poll_if_lost

_NO_NUMBER = "the model's numbers run over for this image: NaN or infinite"


@dataclass(frozen=True)
class Prediction:
    """One answered question, or why it could not be answered.

    Attributes:
        image: path relative to the folder, with ``/``.
        question: as given.
        answer: empty where there is an error.
        confidence: probability of the whole answer; averaged over samples.
        error: empty where there is an answer.
        note: what of the question the model could not read; empty where it read all.
        attention: of each latent token over the patches and, last, the question
            summary, ``(K, P + 1)``; None where it was not asked for.
        others: the next likeliest answers with their probabilities, where they were
            asked for.
    """

    image: str
    question: str
    answer: str
    confidence: float | None
    error: str
    note: str = ""
    attention: NDArray[np.float32] | None = field(default=None, compare=False)
    others: Others = ()


def read_question_lines(path: Path) -> list[str]:
    """Read one question per line, blank lines left out.

    Raises:
        DataError: if the file cannot be read or holds no question.
    """
    try:
        lines = read_regular_text(path, "utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        raise DataError(f"{path}: no question in it; write one per line")
    return questions


def predict(
    loaded: LoadedModel,
    folder: Path,
    images: Sequence[Path],
    questions: Sequence[str],
    *,
    samples: int = 0,
    top: int = 1,
    is_explained: bool = False,
    on_images: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Prediction]:
    """Answer every question about every image, one by one as the iterator is read.

    Args:
        loaded: the model.
        folder: what image names are relative to.
        images: the files, in the order of the answers.
        questions: asked of each image, in this order.
        samples: latent samples to answer from; 0 answers from z = mu.
        top: answers of each question, the given one and others that are likely; those
            are found from z = mu.
        is_explained: keep where each latent token looked.
        on_images: called with images done and in all; may raise to stop.

    Raises:
        ConfigError: if there are no latent tokens whose attention is asked for.
    """
    if is_explained and not loaded.has_latent:
        raise ConfigError(
            f"{loaded.folder}: this model answers without latent tokens, so there is no attention "
            "of theirs to show"
        )
    answerer = BatchAnswerer(loaded, questions, samples, is_explained, top)
    return _predictions(answerer, folder, images, questions, on_images)


def answer_images(
    loaded: LoadedModel,
    images: Sequence[Image.Image | Path],
    questions: Sequence[str],
    *,
    samples: int = 0,
) -> Iterator[list[tuple[str, float]]]:
    """Answer every question about every image, prepared as :func:`predict` prepares files.

    Args:
        loaded: the model.
        images: upright RGB images, or files of any format that is read.
        questions: asked of each image, in this order; at least one.
        samples: latent samples to answer from; 0 answers from z = mu.

    Yields:
        For each image the answers with their probabilities, in the order of the
        questions.

    Raises:
        DataError: at the first file that cannot be decoded.
    """
    answerer = BatchAnswerer(loaded, questions, samples, is_explained=False)
    step = _images_at_once(questions)
    for start in range(0, len(images), step):
        chunk = images[start : start + step]
        pixels = [
            answerer.transform.read(one) if isinstance(one, Path) else answerer.transform(one)
            for one in chunk
        ]
        for found in answerer.answer(np.stack(pixels)):
            yield [(answer, probability) for answer, probability, *_ in found]


def _images_at_once(questions: Sequence[str]) -> int:
    return max(1, QUESTIONS_PER_BATCH // len(questions))


def _predictions(
    answerer: BatchAnswerer,
    folder: Path,
    images: Sequence[Path],
    questions: Sequence[str],
    on_images: Callable[[int, int], None],
) -> Iterator[Prediction]:
    step = _images_at_once(questions)
    for start in range(0, len(images), step):
        chunk = images[start : start + step]
        decoded = [_pixels_or_error(path, answerer.transform) for path in chunk]
        usable = [pixels for pixels in decoded if isinstance(pixels, np.ndarray)]
        answered = iter(answerer.answer(np.stack(usable)) if usable else [])
        for path, pixels in zip(chunk, decoded, strict=True):
            name = path.relative_to(folder).as_posix()
            if isinstance(pixels, str):
                for question, note in zip(questions, answerer.notes, strict=True):
                    yield Prediction(name, question, "", None, pixels, note)
                continue
            for question, note, found in zip(
                questions, answerer.notes, next(answered), strict=True
            ):
                answer, confidence, attention, others = found
                if not math.isfinite(confidence):
                    yield Prediction(name, question, "", None, _NO_NUMBER, note)
                    continue
                yield Prediction(name, question, answer, confidence, "", note, attention, others)
        on_images(start + len(chunk), len(images))


def _pixels_or_error(path: Path, transform: ImageTransform) -> NDArray[np.uint8] | str:
    try:
        return transform.read(path)
    except DataError as error:
        poll_if_lost()  # no signal becomes a fault of an image
        return str(error)
