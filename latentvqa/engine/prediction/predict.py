"""Answers about pictures, in stable order and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentvqa.data.folders.pictures import PictureFile
from latentvqa.engine.prediction.answerer import QUESTIONS_PER_BATCH, BatchAnswerer, Others
from latentvqa.engine.prediction.asking import Asked, Asking
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.errors import ConfigError, DataError
from latentvqa.stopping import poll_if_lost

_NO_NUMBER = "the model's numbers run over for this image: NaN or infinite"
_MOST_PICTURES = 128  # that are held at a time
_KEPT_SIDE = 1024  # pixels


@dataclass(frozen=True)
class Prediction:
    """One answered question, or why it could not be answered.

    Attributes:
        image: name of the picture, with ``/``.
        question: as given.
        answer: empty where there is an error.
        confidence: probability of the whole answer; averaged over samples.
        error: empty where there is an answer.
        note: what of the question the model could not read; empty where it read all.
        attention: of each latent token over the patches and, last, the question
            summary, ``(K, P + 1)``; None where it was not asked for.
        others: the next likeliest answers with their probabilities, where they were
            asked for.
        asked: the row that this answers.
        picture: upright, in RGB, no side longer than 1,024 pixels, where pictures are
            kept; None where it cannot be read.
    """

    image: str
    question: str
    answer: str
    confidence: float | None
    error: str
    note: str = ""
    attention: NDArray[np.float32] | None = field(default=None, compare=False)
    others: Others = ()
    asked: Asked = field(default=Asked(0, 0), compare=False)
    picture: Image.Image | None = field(default=None, compare=False)


@dataclass(frozen=True)
class PredictionSettings:
    """How questions are answered.

    Attributes:
        samples: latent samples to answer from; 0 answers from z = mu.
        top: answers of each question, the given one and others that are likely; those
            are found from z = mu.
        answers: a closed list that answers are chosen from; empty for free ones.
        is_explained: keep where each latent token looked.
        keeps_pictures: whether predictions hold the pictures.
    """

    samples: int = 0
    top: int = 1
    answers: Sequence[str] = ()
    is_explained: bool = False
    keeps_pictures: bool = False


def predict(
    loaded: LoadedModel,
    asking: Asking,
    rows: range | None = None,
    settings: PredictionSettings | None = None,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Prediction]:
    """Answer row by row as the iterator is read.

    Args:
        loaded: the model.
        asking: what is asked.
        rows: the rows that are answered; None for all.
        settings: how.
        on_rows: called with rows done and in all; may raise to stop.

    Raises:
        ConfigError: if there are no latent tokens whose attention is asked for, or the
            model cannot write the answers of a closed list.
    """
    settings = settings or PredictionSettings()
    if settings.is_explained and not loaded.has_latent:
        raise ConfigError(
            f"{loaded.folder}: this model answers without latent tokens, so there is no attention "
            "of theirs to show"
        )
    answerer = BatchAnswerer(
        loaded,
        asking.questions,
        settings.samples,
        settings.is_explained,
        settings.top,
        settings.answers,
    )
    chosen = range(len(asking)) if rows is None else rows
    return _predictions(answerer, asking, chosen, settings.keeps_pictures, on_rows)


@dataclass(frozen=True)
class _Decoded:
    """A picture as the model takes it, and as it is; or why there is none."""

    pixels: NDArray[np.uint8] | None
    picture: Image.Image | None
    error: str = ""


def _predictions(
    answerer: BatchAnswerer,
    asking: Asking,
    rows: range,
    keeps_pictures: bool,
    on_rows: Callable[[int, int], None],
) -> Iterator[Prediction]:
    done, decoded = 0, dict[int, _Decoded]()
    for chunk in _chunks(asking, rows):
        places = dict.fromkeys(row.picture for row in chunk)
        # a picture may be asked about in two chunks, one after the other
        decoded = {
            place: decoded.get(place) or _decode(asking, place, answerer, keeps_pictures)
            for place in places
        }
        usable = [place for place in places if decoded[place].pixels is not None]
        column = {place: number for number, place in enumerate(usable)}
        asked = [(column[row.picture], row.question) for row in chunk if row.picture in column]
        pixels = [one.pixels for one in decoded.values() if one.pixels is not None]
        answered = iter(answerer.answer_pairs(np.stack(pixels), asked) if asked else [])
        for row in chunk:
            known = decoded[row.picture]
            name, question = asking.pictures[row.picture].name, asking.questions[row.question]
            note = answerer.notes[row.question]
            answer, share, attention, others = (
                ("", None, None, ()) if known.error else next(answered)
            )
            error = known.error
            if share is not None and not math.isfinite(share):
                answer, share, attention, others, error = "", None, None, (), _NO_NUMBER
            yield Prediction(
                name, question, answer, share, error, note, attention, others, row, known.picture
            )
        done += len(chunk)
        on_rows(done, len(rows))


def _chunks(asking: Asking, rows: range) -> Iterator[list[Asked]]:
    """The rows in parts of few pictures and few questions."""
    chunk, pictures = list[Asked](), set[int]()
    for place in rows:
        row = asking.row(place)
        is_full = len(pictures) == _MOST_PICTURES and row.picture not in pictures
        if is_full or len(chunk) == QUESTIONS_PER_BATCH:
            yield chunk
            chunk, pictures = [], set()
        chunk.append(row)
        pictures.add(row.picture)
    if chunk:
        yield chunk


def _decode(asking: Asking, place: int, answerer: BatchAnswerer, keeps_picture: bool) -> _Decoded:
    transform = answerer.transform
    try:
        picture = asking.pictures[place].read(transform.max_pixels).image
    except DataError as error:
        poll_if_lost()  # no signal becomes a fault of an image
        return _Decoded(None, None, str(error))
    return _Decoded(transform(picture), _small(picture) if keeps_picture else None)


def small_picture_of(file: PictureFile) -> Image.Image | None:
    """A picture as predictions keep it; None where it cannot be read."""
    try:
        return _small(file.read().image)
    except DataError:
        poll_if_lost()
        return None


def _small(picture: Image.Image) -> Image.Image:
    small = picture.copy()
    small.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    return small
