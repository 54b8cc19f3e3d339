"""Figures as PNG or SVG files, whatever the texts in them hold, and how their axes look.

The same figure gives the same bytes. Pages have their own inline SVG.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from latentvqa.core.figures import percent
from latentvqa.report.style import LIGHT
from latentvqa.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
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
    """Draw a figure as PNG.

    Texts are shown as they stand: a dollar sign is no formula. A letter that no
    installed font has becomes an empty box.

    Returns:
        The content of the file.
    """
    return _drawn(figure, format="png")


def svg_of(figure: Figure) -> bytes:
    """Draw a figure as SVG without a date, texts as texts that can be searched and read aloud.

    Returns:
        The content of the file.
    """
    from matplotlib import rc_context

    # without a salt the names of clip paths are random
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "latentvqa"}):
        _settle(figure)
        return _drawn(figure, format="svg", metadata={"Date": None})


def take_texts_as_they_are(figure: Figure) -> None:
    """Let no text of a figure be a formula, steer a reader or lack a font that is there."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text), "findobj was asked for texts"
        text.set_parse_math(False)
        # bytes of a file name that are no text
        whole = text.get_text().encode("utf-8", "replace").decode()
        text.set_text("\n".join(map(printable, whole.split("\n"))))
        if not text.get_text().isascii():
            text.set_fontfamily(["DejaVu Sans", *_installed_fallbacks(), "sans-serif"])


def show_plainly(axes: Axes) -> None:
    """Draw a chart as the pages do: lines across it in place of a frame, its numbers in grey."""
    axes.grid(color=LIGHT["rule"], lw=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelcolor=LIGHT["soft"])
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(LIGHT["soft"])


def write_percent(axis: Axis, shares: Sequence[float]) -> None:
    """Name some shares on an axis in percent."""
    axis.set_ticks(list(shares), [percent(share) for share in shares])


def _settle(figure: Figure) -> None:
    """Round the places that the layout found: their last digits differ from call to call."""
    take_texts_as_they_are(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axis in figure.get_axes():
        left, bottom, width, height = (round(end, 6) for end in axis.get_position().bounds)
        axis.set_position((left, bottom, width, height))


def _drawn(figure: Figure, **options: Any) -> bytes:
    take_texts_as_they_are(figure)
    content = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        figure.savefig(content, **options)
    return content.getvalue()


@cache
def _installed_fallbacks() -> tuple[str, ...]:
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return tuple(name for name in _FALLBACK_FAMILIES if name in installed)
