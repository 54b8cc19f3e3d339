"""Pixels in memory as the Pillow image that they are.

What could be read in two ways is refused: nothing is guessed from the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentvqa.errors import DataError

CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency


def image_of_array(pixels: NDArray[Any]) -> Image.Image:
    """The image of an array.

    Args:
        pixels: ``(H, W)``, ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)``: uint8,
            floating point from 0 to 1, or grey of uint16.

    Raises:
        DataError: for another shape, type or range.
    """
    shape = pixels.shape
    if pixels.ndim == 3 and shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in CHANNELS):
        turned = (
            ". Channels come last in an array: pixels.transpose(1, 2, 0)"
            if pixels.ndim == 3 and shape[0] in CHANNELS
            else too_many(shape)
        )
        raise DataError(
            f"pixels of shape {shape}: expected uint8, shape (height, width, 3) or "
            f"(height, width){turned}"
        )
    if pixels.size == 0:
        raise DataError(f"pixels of shape {shape}: there is no pixel in it")
    if pixels.dtype == np.uint16 and pixels.ndim == 2:
        return Image.fromarray(np.ascontiguousarray(pixels))
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = _from_shares(pixels)
    if pixels.dtype != np.uint8:
        raise DataError(
            f"pixels of type {pixels.dtype}: expected uint8 from 0 to 255, or floating point from "
            "0 to 1"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


def too_many(shape: tuple[int, ...]) -> str:
    """The end of a message about pixels of this shape, where they are a stack of pictures."""
    return ". It holds several pictures: give them one by one" if len(shape) == 4 else ""


def _from_shares(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels of 0 to 255 from those of 0 to 1."""
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError("some of the pixels are NaN or infinite")
    if low < 0.0 or high > 1.0:
        advice = (
            "they look normalised: undo that, or give the picture as it was read"
            if low < 0.0
            else "divide them by their largest possible value, or give uint8"
        )
        raise DataError(
            f"floating point pixels from {low:.4g} to {high:.4g}: expected 0 to 1; {advice}"
        )
    found: NDArray[np.uint8] = np.rint(pixels.astype(np.float64) * 255.0).astype(np.uint8)
    return found
