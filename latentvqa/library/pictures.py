"""Whatever stands for a picture in Python, as the image that ``predict`` makes of its file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image

from latentvqa.data.decoding import convert_picture, decode_image, read_image_bytes
from latentvqa.data.formats.pixels import CHANNELS, too_many
from latentvqa.errors import DataError

Picture = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | NDArray[Any]
) | torch.Tensor


def image_of(picture: Picture, *, max_pixels: int) -> Image.Image:
    """The upright RGB image of a picture, transparency on white, grey of 16 bits scaled.

    Args:
        picture: a path, the bytes of a file, a Pillow image, an array, channels last,
            or a tensor, channels first or last; uint8, or floating point from 0 to 1.
        max_pixels: most pixels that are accepted.

    Raises:
        DataError: if it cannot be decoded or could be read in two ways.
    """
    if isinstance(picture, (str, os.PathLike)):
        return decode_image(Path(picture), max_pixels=max_pixels)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        content = bytes(picture)
        name = f"the picture of {len(content):,} bytes"
        return read_image_bytes(content, name, max_pixels=max_pixels).image
    known = _array_of(picture) if isinstance(picture, torch.Tensor) else picture
    return convert_picture(known, max_pixels=max_pixels)


def _array_of(pixels: torch.Tensor) -> NDArray[Any]:
    """A tensor, channels first or last, with the channels last.

    Args:
        pixels: ``(H, W)``, ``(C, H, W)`` or ``(H, W, C)`` with 1, 3 or 4 channels:
            uint8, or floating point from 0 to 1; on any device.

    Raises:
        DataError: for another shape, or where both first and last side could be the
            channels.
    """
    shape = tuple(pixels.shape)
    known = pixels.detach().cpu()
    if known.is_floating_point():
        known = known.float()  # NumPy has no bfloat16
    array: NDArray[Any] = known.numpy()
    if array.ndim != 3:
        if array.ndim != 2:
            raise DataError(
                f"a tensor of shape {shape}: expected (3, height, width), (height, width, 3) or "
                f"(height, width){too_many(shape)}"
            )
        return array
    is_first, is_last = shape[0] in CHANNELS, shape[2] in CHANNELS
    if is_first and is_last:
        raise DataError(
            f"a tensor of shape {shape}: either side could be the channels. Give an array, whose "
            "channels come last, or a Pillow image."
        )
    if not is_first and not is_last:
        raise DataError(f"a tensor of shape {shape}: neither side has 1, 3 or 4 channels")
    return array.transpose(1, 2, 0) if is_first else array
