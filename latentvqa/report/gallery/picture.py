"""Pictures made small enough that thousands of them stand in one page."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# of radiographs of 448 pixels (VQA-RAD) 18 KB, in which what is asked about is still
# seen; quality 85 takes 25 KB, and a page of 2,000 pictures 64 MB in place of 46
LONGEST_SIDE = 512  # pixels
QUALITY = 75  # of JPEG, which ends at 95
MOST_EXACT = 160  # pixels of a side up to which a drawing is tried as PNG, which blurs no edge


@dataclass(frozen=True)
class SmallPicture:
    """A picture within its own address.

    Attributes:
        width: in pixels.
        height: in pixels.
        address: a ``data:`` URL of a JPEG or PNG file; of letters, digits and ``:;,/+=`` alone.
    """

    width: int
    height: int
    address: str


def small_picture(picture: Image) -> SmallPicture:
    """Make a picture fit into :data:`LONGEST_SIDE`; one that does is not enlarged.

    Args:
        picture: upright, of any mode; stays as it is.
    """
    from PIL.Image import Resampling

    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    scale = min(1.0, LONGEST_SIDE / max(picture.size))
    if scale < 1.0:
        width, height = (max(1, round(scale * side)) for side in picture.size)
        picture = picture.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)
    kind, content = "jpeg", BytesIO()
    picture.save(content, "JPEG", quality=QUALITY, optimize=True)
    if max(picture.size) <= MOST_EXACT:
        exact = BytesIO()
        picture.save(exact, "PNG", optimize=True)
        if len(exact.getvalue()) <= len(content.getvalue()):
            kind, content = "png", exact
    address = f"data:image/{kind};base64,{b64encode(content.getvalue()).decode('ascii')}"
    return SmallPicture(*picture.size, address)
