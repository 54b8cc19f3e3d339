"""Turn decoded pixels of any kind into RGB, strip by strip so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

_SIXTEEN_BIT = 65_535
_STRIP_PIXELS = 2**20
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339  # TIFF tags
_WHITE_IS_ZERO = 0
_UNSIGNED = 1


def to_rgb(image: Image.Image, factor: int = 1) -> Image.Image:
    """Return a loaded image in RGB, transparency on white.

    Grey of 16 unsigned bits is scaled by its whole range. Grey of 32 bits, of
    floating point or with a sign has no range of its own: 0, or the smallest value
    below it, becomes black and the largest one white; floating point from 0 to 1
    stays as it is.

    Args:
        image: of any mode that Pillow decodes.
        factor: each square of so many pixels a side becomes one.

    Raises:
        ValueError: if its pixels have no meaning as colours.
    """
    grey = _grey_range(image) if _is_deep_grey(image) else None
    whole = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top, strip in _strips(image, factor):
        part = strip if grey is None else grey.to_8_bits(strip)
        part = _on_white(part) if part.has_transparency_data else part.convert("RGB")
        whole.paste(part.reduce(factor) if factor > 1 else part, (0, top // factor))
    return whole


@dataclass(frozen=True)
class _GreyRange:
    """Which values are black and white in grey pixels of more than 8 bits.

    Attributes:
        black: below ``white``, or above it where small values are bright.
        white: may be equal to ``black`` where all pixels are black.
        is_unsigned: 32 bits that Pillow takes for signed are not.
        transparent: the value that stands for no pixel, if any does.
    """

    black: float
    white: float
    is_unsigned: bool = False
    transparent: int | None = None

    def to_8_bits(self, image: Image.Image) -> Image.Image:
        """Pixels of 0 to 255."""
        levels = _levels(image, is_unsigned=self.is_unsigned)
        shares = (levels - self.black) / ((self.white - self.black) or 1.0)
        if self.transparent is not None:
            shares[levels == self.transparent] = 1.0
        return Image.fromarray(np.rint(shares.clip(0, 1) * 255).astype(np.uint8))


def _is_deep_grey(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _grey_range(image: Image.Image) -> _GreyRange:
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if image.mode.startswith("I;16"):
        transparent = image.info.get("transparency")
        found = _GreyRange(
            0, _SIXTEEN_BIT, transparent=transparent if isinstance(transparent, int) else None
        )
    else:
        is_unsigned = image.mode == "I" and tags.get(_SAMPLE_FORMAT, (0,))[0] == _UNSIGNED
        smallest, largest = _extremes(image, is_unsigned=is_unsigned)
        is_share = image.mode == "F" and smallest >= 0 and largest <= 1
        found = _GreyRange(min(smallest, 0.0), 1.0 if is_share else largest, is_unsigned)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        found = _GreyRange(found.white, found.black, found.is_unsigned)
    return found


def _extremes(image: Image.Image, *, is_unsigned: bool) -> tuple[float, float]:
    smallest, largest, odd = np.inf, -np.inf, 0
    for _, strip in _strips(image):
        levels = _levels(strip, is_unsigned=is_unsigned)
        odd += int(np.count_nonzero(~np.isfinite(levels)))
        smallest, largest = min(smallest, levels.min()), max(largest, levels.max())
    if odd:
        raise ValueError(f"{odd:,} of its pixels are no finite numbers; save it with others there")
    return float(smallest), float(largest)


def _levels(image: Image.Image, *, is_unsigned: bool) -> NDArray[np.float64]:
    stored = np.asarray(image)
    return (stored.view(np.uint32) if is_unsigned else stored).astype(np.float64)


def _on_white(image: Image.Image) -> Image.Image:
    opaque = image.convert("RGBA")
    white = Image.new("RGBA", opaque.size, "white")
    return Image.alpha_composite(white, opaque).convert("RGB")


def _strips(image: Image.Image, factor: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Its strips and where each begins, a multiple of the factor."""
    rows = max(1, _STRIP_PIXELS // image.width // factor) * factor
    if rows >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))
