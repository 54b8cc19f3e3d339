"""Find images that show the same: equal pixels, or re-encoded, resized and cropped copies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from latentvqa.data.audit.alignment import residuals
from latentvqa.data.audit.candidates import WINDOWS, candidate_pairs
from latentvqa.data.audit.fingerprints import Fingerprint, is_detailed

# between copies and the most similar radiographs of different people
_CORRELATION = 0.92
_REST = 12.0  # levels that brightness differs by, root mean square
_BLOCK = 14.0  # levels
_BLOCK_SHARE = 0.6  # of the contrast
_OVERLAP = 0.6
_CHUNK = 64


@dataclass(frozen=True)
class Copies:
    """Which of some images show the same.

    Attributes:
        contents: a number for each image; equal where the decoded pixels are,
            shape ``(images,)``.
        alike: pairs of such numbers that are near-copies, shape ``(pairs, 2)``.
        plain: images with too little detail to be known but by equal pixels.
    """

    contents: NDArray[np.int64]
    alike: NDArray[np.int64]
    plain: int

    def groups(self) -> NDArray[np.int64]:
        """A number for each image, the same for copies and copies of copies."""
        count = int(self.contents.max(initial=-1)) + 1
        edges = (np.ones(len(self.alike)), (self.alike[:, 0], self.alike[:, 1]))
        _, group = connected_components(coo_array(edges, shape=(count, count)), directed=False)
        numbers: NDArray[np.int64] = group[self.contents]
        return numbers

    def like(self, contents: Collection[int]) -> set[int]:
        """Numbers of the near-copies of some contents."""
        known = np.fromiter(contents, np.int64, count=len(contents))
        is_known = np.isin(self.alike, known)
        return set(self.alike[is_known[:, ::-1]].tolist())


def find_copies(fingerprints: Sequence[Fingerprint | None]) -> Copies:
    """Compare images by their fingerprints; without one, an image is like no other.

    Near-copies are sought among images with detail in most places. One is a copy
    if it lies on the other, shifted and scaled, with no place of another colour.
    """
    number_of: dict[bytes, int] = {}
    contents = np.array(
        [
            number_of.setdefault(str(place).encode() if one is None else one.pixels, len(number_of))
            for place, one in enumerate(fingerprints)
        ],
        np.int64,
    )
    different = {
        number: one.thumbnail
        for number, one in zip(contents.tolist(), fingerprints, strict=True)
        if one is not None
    }
    if not different:
        return Copies(contents, np.empty((0, 2), np.int64), 0)
    numbers = np.fromiter(different, np.int64, count=len(different))
    thumbnails = np.stack(list(different.values()))
    kept = is_detailed(thumbnails)
    numbers, thumbnails = numbers[kept], thumbnails[kept]
    images, windows = candidate_pairs(thumbnails)
    is_copy = np.zeros(len(images), dtype=bool)
    for start in range(0, len(images), _CHUNK):
        (first, second), (one, other) = (
            part[start : start + _CHUNK].T for part in (images, windows)
        )
        left = residuals(thumbnails[first], thumbnails[second], WINDOWS[one], WINDOWS[other])
        is_copy[start : start + _CHUNK] = (
            (left.correlation >= _CORRELATION)
            & (left.contrast * np.sqrt(np.maximum(1 - left.correlation**2, 0)) <= _REST)
            & (left.block <= np.minimum(_BLOCK, _BLOCK_SHARE * left.contrast))
            & (left.overlap >= _OVERLAP)
        )
    return Copies(contents, numbers[images[is_copy]], int((~kept).sum()))
