"""Galleries for tests, some with names and texts that try to break out of the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from latentvqa.report.gallery.writer import GalleryRow, GalleryWriter

RED, BLUE = (220, 30, 30), (30, 30, 220)
EVIL = "a\"'&<b>\x1b[31m\u202e\udcff\t</noscript></script><script>alert(1)</script>.jpg"
FEW = (
    (GalleryRow("b/10.jpg", "what colour?", "red", 0.9, reference="red", is_correct=True), RED),
    (
        GalleryRow(
            *("b/10.jpg", "là màu gì?", "màu đỏ", 0.4),
            note="2 of 5 words unknown",
            others=(("blue", 0.3), ("", 0.1)),
            id="q7",
            reference="blue",
            is_correct=False,
        ),
        None,
    ),
    (GalleryRow("broken.jpg", "what?", "", None, error="b/broken.jpg: not an image"), None),
    (GalleryRow(EVIL, EVIL, EVIL, 0.05, id=EVIL, note=EVIL, reference=EVIL), BLUE),
    (GalleryRow("b/9.jpg", "how many?", "", 0.6), BLUE),
    (GalleryRow("b/10.jpg", "how many?", "two", 0.2, reference="2", is_correct=False), RED),
)


def gallery(path: Path, rows=FEW, title: str = "Answers") -> Path:
    """Write a gallery of rows, each with the colour of its picture or None."""
    with path.open("wb") as file:
        writer = GalleryWriter(file, title=title)
        for row, colour in rows:
            writer.add(row, None if colour is None else Image.new("RGB", (60, 40), colour))
        writer.finish()
    return path


def noise(seed: int, side: int = 512) -> Image.Image:
    """A picture that no JPEG makes small."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)
