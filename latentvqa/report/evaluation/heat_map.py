"""A map over patches laid on its image: smooth, in colours of even steps, the image beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.colors import Colormap

COLOUR_MAP = "inferno"  # of even steps to the eye, and in order when printed in grey
_FIRST, _LAST = 0.2, 0.88  # the part that stands out on black and on white
_FAINTEST, _STRONGEST = 0.0, 0.8  # opacity of the colour where attention is none, and most
_RISE = 0.85  # below 1: what is attended to a little shows
_MIDDLE_GREY = 0.5
# colours of the shares from 0 to 1 on middle grey, for what is drawn without matplotlib
RAMP = [
    "#808080",
    "#7c777e",
    "#7c717d",
    "#7e6c7c",
    "#81687a",
    "#876578",
    "#8e6374",
    "#97626f",
    "#a16368",
    "#aa6660",
    "#b56b56",
    "#bf724b",
    "#c97d3e",
    "#d18930",
    "#d8992b",
    "#ddaa35",
    "#e0be46",
]
CONTRAST = 2.0  # the least that the brightest colour stands for, in even shares
_GREY_LOW, _GREY_HIGH = 0.06, 0.94  # what black and white of the image become beneath


def highest_shown(peak: float, together: float) -> float:
    """The value that gets the brightest colour, in multiples of an even share.

    One token that looks at a single place would leave the others without colour.

    Args:
        peak: the largest value of any token.
        together: the largest value of all tokens taken together.
    """
    return max(CONTRAST, min(peak, CONTRAST * together))


def colour_on_grey(share: float) -> str:
    """The colour of a share from 0 to 1, as style sheets write it."""
    place = min(max(share, 0.0), 1.0) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    ends = [[int(RAMP[one][at : at + 2], 16) for at in (1, 3, 5)] for one in (low, low + 1)]
    mixed = [round(a + (b - a) * (place - low)) for a, b in zip(*ends, strict=True)]
    return f"#{mixed[0]:02x}{mixed[1]:02x}{mixed[2]:02x}"


def shrunk(image: np.ndarray, most: int) -> np.ndarray:
    """The image with no side longer than so many pixels, never made larger.

    Args:
        image: RGB pixels, uint8, ``(height, width, 3)``.
        most: pixels of the longer side.
    """
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((most, most), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def smooth_map(patches: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge a map over patches without steps.

    Args:
        patches: a value for each, ``(rows, columns)``; at least 0.
        size: height and width asked for, in pixels.

    Returns:
        Values from the smallest to the largest of ``patches``, ``(height, width)``.
    """
    import numpy as np
    from PIL import Image

    height, width = size
    given = Image.fromarray(np.ascontiguousarray(patches, dtype=np.float32))
    large = np.asarray(given.resize((width, height), Image.Resampling.BICUBIC))
    return large.clip(patches.min(), patches.max())  # a cubic swings beyond its points


def heat_map(image: np.ndarray, patches: np.ndarray, highest: float) -> np.ndarray:
    """Lay a map over its image.

    The image is grey beneath, so that every colour is one of the map, and shows
    through everywhere.

    Args:
        image: RGB pixels, uint8, ``(height, width, 3)``.
        patches: a value for each, at least 0, ``(rows, columns)``; they cover the
            whole image.
        highest: the value that gets the brightest colour.

    Returns:
        RGB pixels, uint8, shaped as ``image``.
    """
    import numpy as np

    shares = (smooth_map(patches, image.shape[:2]) / max(highest, 1e-9)).clip(0.0, 1.0)
    light = image @ np.array([0.299, 0.587, 0.114]) / 255.0
    return _laid_on(_GREY_LOW + (_GREY_HIGH - _GREY_LOW) * light, shares)


def colour_ramp() -> np.ndarray:
    """The colours of the shares from 0 to 1 on middle grey, uint8, ``(256, 1, 3)``."""
    import numpy as np

    shares = np.linspace(0.0, 1.0, 256)[:, None]
    return _laid_on(np.full_like(shares, _MIDDLE_GREY), shares)


def _laid_on(grey: np.ndarray, shares: np.ndarray) -> np.ndarray:
    import numpy as np

    opacity = (_FAINTEST + (_STRONGEST - _FAINTEST) * shares**_RISE)[..., None]
    mixed = (1.0 - opacity) * grey[..., None] + opacity * _colour_map()(shares)[..., :3]
    pixels: np.ndarray = np.rint(mixed * 255.0).astype(np.uint8)
    return pixels


def _colour_map() -> Colormap:
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps[COLOUR_MAP](np.linspace(_FIRST, _LAST, 256)))
