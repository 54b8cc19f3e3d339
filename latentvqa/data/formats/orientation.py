"""How a picture was held, from metadata that may be damaged: then it counts as absent."""

from __future__ import annotations

import re
from contextlib import suppress

from PIL import Image

UPRIGHT = 1
_TAG = 0x0112
_LAST = 8
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation_in(exif: bytes | None, xmp: bytes | None) -> int:
    """Return the orientation, 1 to 8, that metadata name; EXIF goes before XMP."""
    if exif:
        known = Image.Exif()
        # Pillow lets many types through where these bytes are damaged
        with suppress(Exception):
            known.load(exif)
            if (found := _checked(known.get(_TAG))) is not None:
                return found
    match = _XMP.search(xmp) if xmp else None
    return int(match[1]) if match else UPRIGHT


def orientation_of(image: Image.Image) -> int:
    """Return the orientation, 1 to 8, that an open image names."""
    with suppress(Exception):
        return _checked(image.getexif().get(_TAG)) or UPRIGHT
    return UPRIGHT


def _checked(value: object) -> int | None:
    return value if isinstance(value, int) and UPRIGHT <= value <= _LAST else None
