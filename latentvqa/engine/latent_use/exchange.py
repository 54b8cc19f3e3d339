"""From which other row each row takes a latent, an image or a question.

The source always has another image: an exchange that changes nothing would
flatter a latent that carries nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Exchange:
    """A source for every row.

    Attributes:
        sources: row that each row takes from, shape ``(rows,)``; a row without a
            source is its own.
        is_alike: whether the source has the row's own key, shape ``(rows,)``.
        has_source: whether there is a source with another image, ``(rows,)``.
    """

    sources: np.ndarray
    is_alike: np.ndarray
    has_source: np.ndarray


def find_exchange(keys: Sequence[Hashable], images: np.ndarray, seed: int) -> Exchange:
    """Find for every row another one with the same key and another image.

    Rows whose key offers no such row take any row with another image.

    Args:
        keys: what source and row should share, such as the question text.
        images: image of each row, shape ``(rows,)``.
        seed: of the order in which rows are exchanged.

    Raises:
        ValueError: if the columns differ in length.
    """
    if len(keys) != len(images):
        raise ValueError(f"{len(keys)} keys, but {len(images)} images")
    place: dict[Hashable, int] = {}
    groups = np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)
    rng = np.random.default_rng(seed)
    sources, is_alike = _exchange(groups, images, rng)
    others, _ = _exchange(np.zeros(len(images), np.int64), images, rng)
    sources = np.where(is_alike, sources, others)
    return Exchange(sources, is_alike, images[sources] != images)


def _exchange(
    groups: np.ndarray, images: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Move every group's rows on by its largest image, so that no image meets itself."""
    names, codes = np.unique(images, return_inverse=True)
    rank = rng.permutation(len(names))[codes]
    order = np.lexsort((rng.random(len(images)), rank, groups))
    sources = np.arange(len(images))
    bounds = np.flatnonzero(np.diff(groups[order])) + 1
    for members in np.split(order, bounds):
        if not len(members):
            continue
        # the largest image of the group: moving by it leaves every image behind, if that can be
        largest = int(np.unique(images[members], return_counts=True)[1].max())
        sources[members] = np.roll(members, largest % len(members))
    return sources, images[sources] != images
