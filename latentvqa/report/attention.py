"""Where each latent token looks: averaged over the rows, and for single questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import shorten
from typing import TYPE_CHECKING

from latentvqa.report.page_style import LIGHT

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

PIXELS_PER_INCH = 110
_CELL_INCHES = 1.35
_DARKEST = 0.8  # opacity of the shade where there is no attention


@dataclass(frozen=True, eq=False)
class AttentionExample:
    """One question with its image and where each latent token looked.

    Attributes:
        image: RGB pixels, ``(height, width, 3)``.
        question: as asked.
        answer: the model's answer.
        attention: over the patches, row by row, and last the question summary,
            ``(K, P + 1)``.
    """

    image: np.ndarray
    question: str
    answer: str
    attention: np.ndarray


def attention_png(
    mean: np.ndarray, grid: tuple[int, int], examples: Sequence[AttentionExample]
) -> bytes:
    """Draw a row of maps for the mean and one for each example, as a PNG picture.

    Args:
        mean: attention averaged over the rows, ``(K, P + 1)``.
        grid: rows and columns of the patches; P is their product.
        examples: single questions, in the order in which they are drawn.

    Returns:
        The content of the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tokens, rows = len(mean), 1 + len(examples)
    size = (_CELL_INCHES * (tokens + 1) + 0.3, (_CELL_INCHES + 0.35) * rows + 0.3)
    figure = Figure(figsize=size, dpi=PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, tokens + 1, squeeze=False)
    axes[0, 0].axis("off")
    axes[0, 0].text(
        0.0,
        0.5,
        "mean over all rows;\nbright: attended.\nBelow: share at the\nquestion itself",
        va="center",
        fontsize=7,
    )
    for token in range(tokens):
        axis = axes[0, token + 1]
        axis.set_title(f"token {token}", fontsize=9, color=LIGHT["ink"])
        axis.imshow(_patches(mean[token], grid), cmap="gray", vmin=0.0)
        _label(axis, mean[token])
    for place, example in enumerate(examples, start=1):
        height, width = example.image.shape[:2]
        first = axes[place, 0]
        first.imshow(example.image)
        asked = shorten(example.question, 30 * tokens, placeholder=" …")
        # the title may run on above the maps; an empty one keeps their line free
        first.set_title(asked, fontsize=8, loc="left").set_in_layout(False)
        axes[place, 1].set_title(" ", fontsize=8)
        first.set_xlabel(shorten(example.answer, 26, placeholder=" …"), fontsize=8)
        _bare(first)
        for token in range(tokens):
            axis = axes[place, token + 1]
            axis.imshow(example.image)
            _darken(axis, example.attention[token], grid, (0, width, height, 0))
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _darken(
    axis: Axes,
    attention: np.ndarray,
    grid: tuple[int, int],
    extent: tuple[float, float, float, float],
) -> None:
    """Leave bright what a token attends to most, and shade the rest."""
    patches = _patches(attention, grid)
    shade = _DARKEST * (1.0 - patches / max(patches.max(), 1e-9))
    black = patches * 0.0
    axis.imshow(black, cmap="gray", vmin=0.0, vmax=1.0, extent=extent, alpha=shade)
    _label(axis, attention)


def _patches(attention: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    return attention[:-1].astype(float).reshape(grid)


def _label(axis: Axes, attention: np.ndarray) -> None:
    axis.set_xlabel(f"{float(attention[-1]) * 100:.0f} %", fontsize=7, color=LIGHT["soft"])
    _bare(axis)


def _bare(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_color(LIGHT["rule"])
