"""A small table of Vietnamese questions about drawn pictures, with tones in either place."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image

from tests.small_runs import write_rows

HEADER = "image,question,answer,type"
# what a picture shows, with its tones as they were and as they are placed, and its colour
SHOWN = (
    ("tòa nhà", "toà nhà", "màu đỏ", (200, 60, 40)),
    ("tàu thủy", "tàu thuỷ", "màu xanh dương", (40, 80, 200)),
    ("chìa khóa", "chìa khoá", "màu vàng", (220, 200, 60)),
    ("hoa hòe", "hoa hoè", "màu xanh lá", (60, 180, 70)),
)
OLD, NEW = 0, 1
_ASKED = (
    ("Bức ảnh này vẽ gì?", "Bức ảnh này vẽ gì?"),
    ("Họa sĩ vẽ vật gì?", "Hoạ sĩ vẽ vật gì?"),
)
_COLOUR = ("Vật mà họa sĩ vẽ màu gì?", "Vật mà hoạ sĩ vẽ màu gì?")


def draw_pictures(folder: Path, count: int) -> Path:
    """Pictures ``0.png`` and on, of what stands in ``SHOWN`` at their number."""
    folder.mkdir(parents=True)
    draws = np.random.default_rng(0)
    for number in range(count):
        colour = np.array(SHOWN[number % len(SHOWN)][3])
        pixels = np.clip(colour + draws.normal(0, 12, (32, 32, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def rows(numbers: range, placement: int) -> list[tuple[str, str, str, str]]:
    """Questions about some pictures.

    Args:
        numbers: of the pictures.
        placement: ``OLD`` or ``NEW``, of every tone that has two places.
    """
    made = []
    for number in numbers:
        name, shown = f"{number}.png", SHOWN[number % len(SHOWN)]
        made += [(name, asked[placement], shown[placement], "object") for asked in _ASKED]
        made.append((name, _COLOUR[placement], shown[2], "color"))
    return made


def write_table(path: Path, numbers: range, placement: int, form: str = "NFC") -> Path:
    """The same as a table, its letters composed or not."""
    made = rows(numbers, placement)
    held = [[unicodedata.normalize(form, cell) for cell in row] for row in made]
    return write_rows(path, held, HEADER)
