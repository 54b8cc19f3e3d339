"""Figures as PNG files, whatever the texts in them hold."""

from __future__ import annotations

import warnings
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# of what systems ship, those that know the scripts which matplotlib's own font lacks
_FALLBACK_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Thai",
    "Noto Sans Devanagari",
    "Hiragino Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Arial Unicode MS",
    "Unifont",
)


def png_of(figure: Figure) -> bytes:
    """Draw a figure.

    Texts are shown as they stand: a dollar sign is no formula. A letter that no
    installed font has becomes an empty box.

    Returns:
        The content of the file.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text), "findobj was asked for texts"
        text.set_parse_math(False)
        # bytes of a file name that are no text
        text.set_text(text.get_text().encode("utf-8", "replace").decode())
        if not text.get_text().isascii():
            text.set_fontfamily(["DejaVu Sans", *_installed_fallbacks()])
    content = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        figure.savefig(content, format="png")
    return content.getvalue()


@cache
def _installed_fallbacks() -> tuple[str, ...]:
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return tuple(name for name in _FALLBACK_FAMILIES if name in installed)
