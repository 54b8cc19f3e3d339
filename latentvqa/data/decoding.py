"""Decode one image file, the same way in training, evaluation and prediction.

An image comes out upright, in RGB and whole, or not at all: nothing is guessed
for a file that cannot be read.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from latentvqa.errors import DataError

Picture = Image.Image | NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 178_956_970 // 2
_INTERPOLATIONS = {mode.name.lower(): mode for mode in Image.Resampling}
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BIT = 65_535
_THIRTY_ONE_BIT = 2**31 - 1


def decode_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the upright RGB image of a file, its first frame if animated.

    Transparency is laid on white; 16-bit grey is scaled, not clipped.

    Raises:
        DataError: if the file is missing, unreadable, truncated, of another
            format or larger than ``max_pixels``; the message names no row.
    """
    _leave_size_check_to_us()
    try:
        with Image.open(path, formats=FORMATS) as image:
            return _upright_rgb(image, max_pixels)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not an image of the formats {', '.join(FORMATS)}") from error
    except Exception as error:  # Pillow's decoders let many types through on damaged files
        raise DataError(f"{path}: cannot be decoded: {error or type(error).__name__}") from error


def convert_picture(picture: Picture, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the upright RGB image of a picture in memory, as of a file with its content.

    Args:
        picture: a Pillow image of any mode that files may have, or RGB pixels of
            shape ``(H, W, 3)``.
        max_pixels: most pixels that are accepted.

    Raises:
        DataError: for another type or shape, or what ``decode_image`` refuses in a
            file.
    """
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise DataError(
                f"pixels of type {picture.dtype} and shape {picture.shape}: expected uint8, "
                "shape (height, width, 3)"
            )
        if picture.size == 0:
            raise DataError(f"pixels of shape {picture.shape}: there is no pixel in it")
        picture = Image.fromarray(picture)
    if not isinstance(picture, Image.Image):
        raise DataError(
            f"a picture of type {type(picture).__name__}: expected a path, a Pillow image or "
            "uint8 pixels of shape (height, width, 3)"
        )
    try:
        return _upright_rgb(picture, max_pixels)
    except Exception as error:  # a lazily opened image is decoded only now
        raise DataError(
            f"the picture cannot be decoded: {error or type(error).__name__}"
        ) from error


@dataclass(frozen=True)
class ImageTransform:
    """Resize the whole image to a square, squashing it rather than cropping.

    Args:
        size: side of the square, in pixels.
        interpolation: Pillow's name of the filter, in lower case.

    Raises:
        DataError: for a size below 1 or an unknown filter.
    """

    size: int
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise DataError(f"image size {self.size}: must be at least 1 pixel")
        if self.interpolation not in _INTERPOLATIONS:
            raise DataError(
                f"interpolation {self.interpolation!r}: "
                f"use one of {', '.join(sorted(_INTERPOLATIONS))}"
            )

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels as uint8, shape ``(3, size, size)``."""
        shape = (self.size, self.size)
        if image.size != shape:
            image = image.resize(shape, _INTERPOLATIONS[self.interpolation])
        return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


def _upright_rgb(image: Image.Image, max_pixels: int) -> Image.Image:
    _check_size(image, max_pixels)
    image.load()
    orientation = image.getexif().get(_ORIENTATION_TAG)
    rgb = _to_rgb(image)
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ValueError(f"{image.width} x {image.height} pixels, more than {max_pixels:,}")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_deep_grey(image).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it with 8 or 16 bits")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return Image.alpha_composite(white, opaque).convert("RGB")
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey (or 32-bit, where values need it) to 8 bits."""
    levels = np.asarray(image).astype(np.float64)
    full = _SIXTEEN_BIT if levels.max(initial=0) <= _SIXTEEN_BIT else _THIRTY_ONE_BIT
    return Image.fromarray(np.rint(levels.clip(0, full) * (255 / full)).astype(np.uint8))


def _leave_size_check_to_us() -> None:
    """Silence Pillow's warning at a fixed size, for the limit is an argument here.

    A filter set once is safe in threads, which ``catch_warnings`` is not.
    """
    if not any(entry[2] is Image.DecompressionBombWarning for entry in warnings.filters):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
