"""Answers for a folder of images, in stable order and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latentvqa.data.cells import clean_text
from latentvqa.data.decoding import ImageTransform
from latentvqa.data.tokenizer import PAD, UNK
from latentvqa.engine.answering import AnswerTexts, likeliest_answers, most_probable_answers
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.scoring import SAMPLE_SEEDS, row_noise
from latentvqa.errors import ConfigError, DataError
from latentvqa.models import Encoded, Posterior
from latentvqa.regular_files import read_regular_text

_QUESTIONS_PER_BATCH = 640
_NO_NUMBER = "the model's numbers run over for this image: NaN or infinite"
Others = tuple[tuple[str, float], ...]
# answer, its probability, attention of the latent tokens, other answers
_Found = tuple[str, float, NDArray[np.float32] | None, Others]


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
    answerer = _BatchAnswerer(loaded, questions, samples, is_explained, top)
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
    answerer = _BatchAnswerer(loaded, questions, samples, is_explained=False)
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
    return max(1, _QUESTIONS_PER_BATCH // len(questions))


def _predictions(
    answerer: _BatchAnswerer,
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


class _BatchAnswerer:
    """Answers a fixed list of questions about stacks of images.

    Attributes:
        notes: what of each question the model cannot read.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        questions: Sequence[str],
        samples: int,
        is_explained: bool,
        top: int = 1,
    ) -> None:
        self.loaded, self.samples, self.is_explained = loaded, samples, is_explained
        self.top = top
        preparation = loaded.model.vision.preparation
        self.transform = ImageTransform(
            preparation.size, preparation.interpolation, loaded.max_pixels
        )
        self._texts = AnswerTexts(loaded.tokenizers.answer)
        # as the cells of a table are read
        ids = loaded.tokenizers.question.encode([clean_text(text) for text in questions])
        limit = loaded.spec.max_question_tokens
        self.notes = [question_note(row, limit) for row in ids]
        self._questions = _padded([row[:limit] or [UNK] for row in ids])
        self._settings = loaded.scoring_settings(batch_size=1)

    @torch.no_grad()
    def answer(self, pixels: NDArray[np.uint8]) -> list[list[_Found]]:
        """What is found, image by image, question by question."""
        device, model = self.loaded.device, self.loaded.model
        asked = len(self._questions)
        with autocast(device, self.loaded.precision):
            patches = model.vision(torch.from_numpy(pixels).to(device))
        answered: list[_Found] = []
        # many questions about few images are cut into batches as well
        pairs = [(image, question) for image in range(len(pixels)) for question in range(asked)]
        for start in range(0, len(pairs), _QUESTIONS_PER_BATCH):
            rows = torch.tensor(pairs[start : start + _QUESTIONS_PER_BATCH])
            with autocast(device, self.loaded.precision):
                encoded = model.encode_patches(
                    patches, rows[:, 0].to(device), self._questions[rows[:, 1]].to(device)
                )
                answers, shares = self._decode(encoded)
                attention, others = self._attention(encoded), self._others(encoded, answers)
                answered += zip(answers, shares, attention, others, strict=True)
        return [answered[image * asked : (image + 1) * asked] for image in range(len(pixels))]

    def _attention(self, encoded: Encoded) -> Sequence[NDArray[np.float32] | None]:
        bottleneck = self.loaded.model.bottleneck
        if not self.is_explained or bottleneck is None:
            return [None] * len(encoded.fused)
        return list(bottleneck.attention_over(encoded.fused).float().cpu().numpy())

    def _decode(self, encoded: Encoded) -> tuple[list[str], list[float]]:
        model, posterior = self.loaded.model, encoded.posterior
        memories = []
        for draw in range(max(1, self.samples)):
            latents = None
            if posterior is not None:
                latents = self._sample(posterior, draw) if self.samples else posterior.mu
            memories.append(model.memory(encoded, latents).tokens)
        found = most_probable_answers(
            model, memories, self._texts, logit_temperature=self._settings.logit_temperature
        )
        return found.answers, found.probabilities.tolist()

    def _others(self, encoded: Encoded, answers: Sequence[str]) -> list[Others]:
        """The likeliest answers beside the given ones."""
        if self.top == 1:
            return [()] * len(answers)
        model, posterior = self.loaded.model, encoded.posterior
        memory = model.memory(encoded, None if posterior is None else posterior.mu).tokens
        found = likeliest_answers(
            model,
            memory,
            self._texts,
            most=self.top,
            logit_temperature=self._settings.logit_temperature,
        )
        return [
            tuple(item for item in ranked if item[0] != answer)[: self.top - 1]
            for answer, ranked in zip(answers, found, strict=True)
        ]

    def _sample(self, posterior: Posterior, draw: int) -> torch.Tensor:
        """Latents with noise that depends on seed and draw alone, whatever else is asked."""
        settings = self._settings
        tokens, dims = posterior.mu.shape[1:]
        seed = settings.seed + SAMPLE_SEEDS * (draw + 1)
        noise = row_noise(torch.zeros(1, dtype=torch.int64), (tokens, dims), seed)
        return posterior.sample(settings.temperature, noise.to(posterior.mu.device))


def _padded(ids: Sequence[list[int]]) -> torch.Tensor:
    tokens = torch.full((len(ids), max(map(len, ids))), PAD)
    for row, known in enumerate(ids):
        tokens[row, : len(known)] = torch.tensor(known)
    return tokens


def _pixels_or_error(path: Path, transform: ImageTransform) -> NDArray[np.uint8] | str:
    try:
        return transform.read(path)
    except DataError as error:
        return str(error)


def question_note(ids: Sequence[int], most_tokens: int) -> str:
    """What of a question a model does not get to read; empty where it reads all of it.

    Args:
        ids: the whole question.
        most_tokens: what follows so many is cut.
    """
    read = ids[:most_tokens]
    unknown = read.count(UNK)
    notes = [f"cut to {most_tokens} of {len(ids)} tokens"] if len(ids) > most_tokens else []
    if unknown == len(read):
        notes.append("no known word")
    elif unknown:
        notes.append(f"{unknown} of {len(read)} words unknown")
    return "; ".join(notes)
