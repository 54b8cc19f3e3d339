"""What a model says about a picture, as values and as a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentvqa.errors import ConfigError
from latentvqa.report.answer import ShownMap, ShownMaps, answer_html
from latentvqa.report.evaluation.attention import AttentionExample, attention_png
from latentvqa.report.evaluation.attention_maps import attention_maps, map_pictures

SHOWN_PIXELS = 320  # of the longer side of the picture that an answer keeps
_QUALITY = 88


@dataclass(frozen=True, eq=False)
class Attention:
    """Where the latent tokens looked for one question.

    Attributes:
        tokens: share of each token's attention that goes to each patch, shape
            ``(K, rows, columns)``; the patches cover the whole image.
        question: share that goes to the summary of the question, ``(K,)``; with the
            patches it sums to 1.
        notice: what a reader of the maps should know: that they hardly depend on the
            question; empty where they do, or where nobody knows.
    """

    tokens: NDArray[np.float32]
    question: NDArray[np.float32]
    notice: str = ""

    @property
    def whole(self) -> NDArray[np.float32]:
        """Patches row by row and last the question, ``(K, P + 1)``."""
        patches = self.tokens.reshape(len(self.tokens), -1)
        return np.concatenate([patches, self.question[:, None]], axis=1)

    def __repr__(self) -> str:
        """Its shape: the numbers are many."""
        return f"Attention(tokens of shape {self.tokens.shape}, question={self.question})"


@dataclass(frozen=True)
class Answer:
    """What a model says; a notebook shows it with its picture.

    Attributes:
        answer: the text.
        probability: of the whole answer, between 0 and 1, calibrated on the
            validation split where the run was evaluated.
        others: the next likeliest answers with their probabilities, where they were
            asked for.
        question: as asked.
        note: what of the question the model could not read; empty where it read all.
        attention: where the latent tokens looked; None where it was not asked for.
        jpeg: the picture, made small, as the content of a JPEG file.
    """

    answer: str
    probability: float
    others: tuple[tuple[str, float], ...] = ()
    question: str = ""
    note: str = ""
    attention: Attention | None = field(default=None, compare=False)
    jpeg: bytes = field(default=b"", compare=False, repr=False)

    def __str__(self) -> str:
        """The answer alone."""
        return self.answer

    def attention_picture(self) -> Image.Image:
        """The heat maps of all tokens together and of each, laid over the picture.

        Raises:
            ConfigError: if the attention was not asked for.
        """
        if self.attention is None:
            raise ConfigError("no attention is kept here: ask with attention=True")
        example = AttentionExample(
            self._pixels(), self.question, self.answer, self.attention.whole, self.probability
        )
        grid, notice = self.attention.tokens.shape[1:], self.attention.notice
        drawn = attention_png(grid, [example], notice=notice)
        with Image.open(BytesIO(drawn)) as picture:
            return picture.convert("RGB")

    def _repr_html_(self) -> str:
        return answer_html(
            question=self.question,
            answers=((self.answer, self.probability), *self.others),
            note=self.note,
            picture=self.jpeg,
            maps=None if self.attention is None else self._maps(self.attention),
        )

    def _maps(self, attention: Attention) -> ShownMaps:
        maps = attention_maps(attention.whole, attention.tokens.shape[1:])
        shown = [
            ShownMap(one.name, one.at_question, jpeg_of(Image.fromarray(one.pixels)))
            for one in map_pictures(self._pixels(), maps)
        ]
        return ShownMaps(shown, maps.highest_label, attention.notice)

    def _pixels(self) -> NDArray[np.uint8]:
        with Image.open(BytesIO(self.jpeg)) as picture:
            return np.asarray(picture.convert("RGB"))


def jpeg_of(picture: Image.Image, most: int | None = None) -> bytes:
    """A picture as the content of a JPEG file.

    Args:
        picture: in RGB.
        most: pixels of the longer side, at most.
    """
    if most is not None and max(picture.size) > most:
        picture = picture.copy()
        picture.thumbnail((most, most), Image.Resampling.LANCZOS, reducing_gap=2.0)
    content = BytesIO()
    # small drawings lose their colours to a coarser sampling
    picture.save(content, "JPEG", quality=_QUALITY, subsampling=0)
    return content.getvalue()
