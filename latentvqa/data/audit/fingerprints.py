"""What is kept of a decoded image to know it, or a copy of it, again: a hash and a thumbnail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32  # of a thumbnail, in pixels
_BLOCK = 4  # pixels; a thumbnail has 8 x 8 blocks
_DETAIL = 2.0  # levels; a block with less deviation than this is flat
_DETAILED = 0.45  # share of blocks that are not flat from which on an image is like a photograph

Thumbnails = NDArray[np.uint8]


@dataclass(frozen=True)
class Fingerprint:
    """One image.

    Attributes:
        pixels: SHA-256 of its size and its decoded pixels.
        thumbnail: the whole image, squashed, shape ``(32, 32, 3)``.
    """

    pixels: bytes
    thumbnail: Thumbnails


def fingerprint_of(image: Image.Image) -> Fingerprint:
    """Take the fingerprint of an upright RGB image."""
    pixels = hashlib.sha256(f"{image.width} {image.height}\n".encode())
    pixels.update(image.tobytes())
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return Fingerprint(pixels.digest(), np.asarray(small, dtype=np.uint8))


def is_detailed(thumbnails: Thumbnails) -> NDArray[np.bool_]:
    """Which images have detail in most places, as photographs have and drawings have not.

    Two drawings of one shape on a plain ground differ less than a drawing and
    its JPEG copy, and cropping cannot be told from moving the shape.

    Args:
        thumbnails: shape ``(n, 32, 32, 3)``.
    """
    blocks = SIDE // _BLOCK
    shape = (len(thumbnails), blocks, _BLOCK, blocks, _BLOCK, 3)
    deviation = thumbnails.reshape(shape).std(axis=(2, 4), dtype=np.float32).max(axis=-1)
    is_photograph: NDArray[np.bool_] = (deviation > _DETAIL).mean(axis=(1, 2)) >= _DETAILED
    return is_photograph
