"""Attention over patches as maps in even shares, and as small pictures with their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentvqa.core.figures import percent
from latentvqa.report.evaluation.heat_map import heat_map, highest_shown, shrunk

if TYPE_CHECKING:
    import numpy as np

LARGE, SMALL = 320, 200  # pixels of the longer side: of the image, of a token's map


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Where latent tokens looked, in multiples of an even share of what goes to the image.

    Attributes:
        tokens: of each token, ``(K, rows, columns)``.
        together: of all tokens, ``(rows, columns)``.
        at_question: share of each token's attention that goes to the question, ``(K,)``.
        peak: the largest value of a token.
        highest: the value that gets the brightest colour.
    """

    tokens: np.ndarray
    together: np.ndarray
    at_question: np.ndarray
    peak: float
    highest: float

    @property
    def highest_label(self) -> str:
        """That value in words, which says whether a token goes beyond it."""
        return f"{'≥ ' if self.peak > self.highest else ''}{self.highest:.2g}"

    @property
    def together_name(self) -> str:
        """What the map of all tokens is called."""
        return f"all {len(self.tokens)} tokens" if len(self.tokens) > 1 else "the token"


def attention_maps(attention: np.ndarray, grid: tuple[int, int]) -> AttentionMaps:
    """The maps of one question.

    Args:
        attention: over the patches, row by row, and last the question summary,
            ``(K, P + 1)``.
        grid: rows and columns of the patches.
    """
    import numpy as np

    attention = np.asarray(attention, dtype=float)
    looked = attention[:, :-1]
    total = np.maximum(looked.sum(1, keepdims=True), 1e-9)
    tokens = (looked / total * looked.shape[1]).reshape(-1, *grid)
    together = (looked.sum(0) / total.sum() * looked.shape[1]).reshape(grid)
    peak = float(tokens.max())
    highest = highest_shown(peak, float(together.max()))
    return AttentionMaps(tokens, together, attention[:, -1], peak, highest)


@dataclass(frozen=True, eq=False)
class MapPicture:
    """A map laid over its image.

    Attributes:
        name: which token, or all of them.
        at_question: in words, how much goes to the question; empty of the image itself.
        pixels: RGB, uint8, ``(height, width, 3)``.
    """

    name: str
    at_question: str
    pixels: np.ndarray


def map_pictures(image: np.ndarray, maps: AttentionMaps) -> list[MapPicture]:
    """The image, the map of all tokens, and the map of each where there are several.

    Args:
        image: RGB pixels, uint8, ``(height, width, 3)``.
        maps: where the tokens looked.
    """
    large, small = _sized(image, LARGE), _sized(image, SMALL)
    drawn = [
        MapPicture("image", "", large),
        MapPicture(
            maps.together_name,
            _share(float(maps.at_question.mean())),
            heat_map(large, maps.together, maps.highest),
        ),
    ]
    if len(maps.tokens) == 1:
        return drawn
    return drawn + [
        MapPicture(f"token {number}", _share(share), heat_map(small, one, maps.highest))
        for number, (one, share) in enumerate(zip(maps.tokens, maps.at_question, strict=True))
    ]


def _share(at_question: float) -> str:
    return f"question {percent(at_question)}"


def _sized(image: np.ndarray, side: int) -> np.ndarray:
    """The image made small, or a tiny one large in whole steps, so that its map is smooth."""
    times = side // max(image.shape[:2])
    return image.repeat(times, 0).repeat(times, 1) if times > 1 else shrunk(image, side)
