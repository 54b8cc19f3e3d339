"""Decode one image file, the same way in training, evaluation, prediction and audit.

An image comes out upright, in RGB and whole, or not at all: nothing is guessed
for a file that cannot be read. Its format is told by its content. Metadata that
cannot be read count as absent.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from latentvqa.data.formats.faults import (
    NoImageError,
    decoding_faults,
    reason_of,
    silence_pillow,
)
from latentvqa.data.formats.jpeg import jpeg_pixels
from latentvqa.data.formats.kinds import FORMATS, HEAD_BYTES, kind_of
from latentvqa.data.formats.orientation import orientation_of
from latentvqa.data.formats.pixels import image_of_array
from latentvqa.data.formats.png import png_pixels
from latentvqa.data.formats.rgb import to_rgb
from latentvqa.errors import DataError
from latentvqa.regular_files import open_regular

Picture = Image.Image | NDArray[Any]

MAX_PIXELS = 178_956_970 // 2
LARGE = 24_000_000  # pixels; larger images are decoded one at a time, and made smaller
_MOST_BYTES = 2**30
_SMALLEST_SIDE = 2048  # no side is made smaller than the largest square asked for
_FACTORS = (8, 4, 2)  # what a JPEG file can be decoded smaller by
_NEW_SUBFILE_TYPE, _IS_PREVIEW = 254, 1  # a TIFF tag and its lowest bit
_INTERPOLATIONS = {mode.name.lower(): mode for mode in Image.Resampling}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_one_large = threading.Lock()


@dataclass(frozen=True)
class DecodedImage:
    """An image and what its file says of it.

    Attributes:
        image: upright, in RGB.
        mode: colour mode as stored.
        size: width and height as stored, in pixels.
    """

    image: Image.Image
    mode: str
    size: tuple[int, int]


def decode_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the upright RGB image of a file, its first frame if animated.

    Transparency is laid on white; grey of more than 8 bits is scaled, not clipped.
    An image of more than ``LARGE`` pixels is made smaller by 2, 4 or 8, as far as
    both sides stay longer than any square that is asked for.

    Raises:
        DataError: if the file is missing, unreadable, no regular file, damaged, of
            another format or larger than ``max_pixels``; the message names no row.
    """
    return read_image(path, max_pixels=max_pixels).image


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Return what :func:`decode_image` does, with the mode and size as stored.

    Raises:
        DataError: as there.
    """
    with decoding_faults(str(path)):
        try:
            with open_regular(path) as file:
                return _read(file, max_pixels)
        except FileNotFoundError as error:
            is_link = path.is_symlink()
            reason = "is a link to a file that is not there" if is_link else "no such file"
            raise DataError(f"{path}: {reason}") from error


def read_image_bytes(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Return what :func:`read_image` does of a file's content.

    Args:
        data: the content.
        name: what messages call it.
        max_pixels: most pixels that are accepted.

    Raises:
        DataError: if it is damaged, of another format or larger than ``max_pixels``.
    """
    with decoding_faults(name):
        return _read(BytesIO(data), max_pixels)


def convert_picture(picture: Picture, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the upright RGB image of a picture in memory, as of a file with its content.

    Args:
        picture: a Pillow image of any mode that files may have, or pixels as
            :mod:`latentvqa.data.formats.pixels` reads them.
        max_pixels: most pixels that are accepted.

    Raises:
        DataError: for another type or shape, or what ``decode_image`` refuses in a
            file.
    """
    if isinstance(picture, np.ndarray):
        picture = image_of_array(picture)
    if not isinstance(picture, Image.Image):
        raise DataError(
            f"a picture of type {type(picture).__name__}: expected a path, the bytes of a file, a "
            "Pillow image, pixels of shape (height, width, 3) or a tensor"
        )
    silence_pillow()
    try:
        _check_size(picture, max_pixels)
        picture.load()
        return _upright(to_rgb(picture), orientation_of(picture))
    except Exception as error:  # a lazily opened image is decoded only now
        raise DataError(f"the picture cannot be decoded: {reason_of(error)}") from error


@dataclass(frozen=True)
class ImageTransform:
    """Resize the whole image to a square, squashing it rather than cropping.

    Args:
        size: side of the square, in pixels.
        interpolation: Pillow's name of the filter, in lower case.
        max_pixels: larger images are faults.

    Raises:
        DataError: for a size below 1 or an unknown filter.
    """

    size: int
    interpolation: str = "bilinear"
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.size < 1:
            raise DataError(f"image size {self.size}: must be at least 1 pixel")
        if self.interpolation not in _INTERPOLATIONS:
            raise DataError(
                f"interpolation {self.interpolation!r}: "
                f"use one of {', '.join(sorted(_INTERPOLATIONS))}"
            )

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the pixels of a file, as of its image.

        Raises:
            DataError: if it cannot be decoded.
        """
        return self(decode_image(path, max_pixels=self.max_pixels))

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels as uint8, shape ``(3, size, size)``."""
        shape = (self.size, self.size)
        if image.size != shape:
            image = image.resize(shape, _INTERPOLATIONS[self.interpolation])
        return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


def _read(file: BinaryIO, max_pixels: int) -> DecodedImage:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    kind = kind_of(head)
    if kind is None:
        raise NoImageError(f"not an image of the formats {', '.join(FORMATS)}")
    if not kind.is_read or (kind.name == "AVIF" and not features.check("avif")):
        raise NoImageError(f"a {kind.name} image, which is not read here; save it as JPEG or PNG")
    if file.seek(0, 2) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES:,} bytes")
    file.seek(0)
    if kind.name == "PNG":
        pixels, orientation = png_pixels(file.read())
        return _decoded(BytesIO(pixels), kind.name, max_pixels, orientation)
    if kind.name == "JPEG":
        jpeg = jpeg_pixels(file.read())
        first, *again = (
            _decoded(BytesIO(stream), kind.name, max_pixels, jpeg.orientation)
            for stream in jpeg.streams
        )
        if any(not _are_equal(first.image, other.image) for other in again):
            raise ValueError("it is cut short: its last scan ends too soon")
        return first
    return _decoded(file, kind.name, max_pixels)


def _decoded(
    stream: BinaryIO, format_name: str, max_pixels: int, orientation: int | None = None
) -> DecodedImage:
    with Image.open(stream, formats=(format_name,)) as image:
        _check_size(image, max_pixels)
        mode, size, factor = image.mode, image.size, _factor(image.size)
        if format_name == "JPEG" and factor > 1:
            image.draft(None, (size[0] // factor, size[1] // factor))
            factor = 1
        if format_name == "TIFF":
            _check_tiff(image)
        with _one_large if size[0] * size[1] > LARGE else nullcontext():
            image.load()
            rgb = to_rgb(image, factor)
        return DecodedImage(_upright(rgb, orientation or orientation_of(image)), mode, size)


def _factor(size: tuple[int, int]) -> int:
    """By how much an image of a size is made smaller."""
    width, height = size
    allowed = [factor for factor in _FACTORS if min(size) // factor >= _SMALLEST_SIDE]
    enough = [factor for factor in allowed if width * height <= LARGE * factor**2]
    if width * height <= LARGE or not allowed:
        return 1
    return min(enough, default=max(allowed))


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ValueError(
            f"{image.width} x {image.height} pixels, more than {max_pixels:,}: make it smaller, or "
            "raise data.max_pixels"
        )


def _check_tiff(image: Image.Image) -> None:
    """Refuse a file that names too few strips, which Pillow leaves black, or opens with a preview.

    Raw files of cameras are TIFF, and what can be decoded of them is a thumbnail.
    """
    if getattr(image, "tag_v2", {}).get(_NEW_SUBFILE_TYPE, 0) & _IS_PREVIEW:
        raise NoImageError(
            "only a preview of an image, as in a camera's raw file; save it as JPEG or PNG"
        )
    covered: dict[str, int] = {}
    for _, (left, top, right, bottom), _, args in getattr(image, "tile", ()):
        layer = str(args[0])
        covered[layer] = covered.get(layer, 0) + (right - left) * (bottom - top)
    if any(area < image.width * image.height for area in covered.values()):
        raise ValueError("it is cut short: some of its rows are missing")


def _are_equal(first: Image.Image, other: Image.Image) -> bool:
    return first.size == other.size and np.array_equal(np.asarray(first), np.asarray(other))


def _upright(rgb: Image.Image, orientation: int) -> Image.Image:
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb
