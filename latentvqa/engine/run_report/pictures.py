"""Images of a table as its run's page holds them: decoded as in training, small, encoded."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from latentvqa.config import Data
from latentvqa.data.decoding import decode_image
from latentvqa.data.folders.names import ImageFolder
from latentvqa.errors import DataError
from latentvqa.report.page.samples import SHARP

QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """An image as a page holds it.

    Attributes:
        content: the encoded file; None where the image cannot be had.
        media_type: of the file.
        size: width and height in pixels.
    """

    content: bytes | None
    media_type: str = "image/jpeg"
    size: tuple[int, int] = (1, 1)


NO_PICTURE = Picture(None)


def validation_images(data: Data) -> Path | None:
    """The folder that the images of the validation rows are in."""
    return data.images if data.val is None else data.val_images or data.images


def picture_of(name: str, data: Data, side: int) -> Picture:
    """An image of the validation rows.

    Args:
        name: as the table names it.
        data: says where the images are.
        side: most pixels of its longer side.

    Raises:
        DataError: if it cannot be found or decoded.
        ValueError: if the name can be no image's.
    """
    folder = validation_images(data)
    if folder is None:
        raise DataError(f"{name}: the run's config names no images folder")
    images = ImageFolder(folder, allow_outside=data.allow_outside)
    image = decode_image(images.path(images.find(name)), max_pixels=data.max_pixels)
    image.thumbnail((side, side))
    content = BytesIO()
    if max(image.size) <= SHARP:  # enlarged, the marks of JPEG would be seen
        image.save(content, "PNG", optimize=True)
        return Picture(content.getvalue(), "image/png", image.size)
    image.save(content, "JPEG", quality=QUALITY, optimize=True)
    return Picture(content.getvalue(), "image/jpeg", image.size)
