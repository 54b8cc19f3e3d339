"""Where each latent token looks: averaged over the rows, and for single questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import TYPE_CHECKING

from latentvqa.report.picture import png_of
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110
_CELL_INCHES = 1.35
_LETTERS = 18  # of an answer in a line, as wide as its image
_HEADING = {"fontsize": 9, "color": LIGHT["ink"]}
_ABOVE_MAP, _ABOVE_QUESTION = 6.0, 18.0  # points
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
    grid: tuple[int, int],
    examples: Sequence[AttentionExample],
    mean: np.ndarray | None = None,
) -> bytes:
    """Draw a row of maps for the mean and one for each example, as a PNG picture.

    Args:
        grid: rows and columns of the patches; P is their product.
        examples: single questions, in the order in which they are drawn; at
            least one where there is no mean.
        mean: attention averaged over all rows, ``(K, P + 1)``; drawn first.

    Returns:
        The content of the file.
    """
    return png_of(attention_figure(grid, examples, mean))


def attention_figure(
    grid: tuple[int, int],
    examples: Sequence[AttentionExample],
    mean: np.ndarray | None = None,
) -> Figure:
    """The figure of that picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tokens = len(examples[0].attention if mean is None else mean)
    first = 0 if mean is None else 1
    rows = first + len(examples)
    size = (_CELL_INCHES * (tokens + 1) + 0.3, (_CELL_INCHES + 0.45) * rows + 0.4)
    figure = Figure(figsize=size, dpi=PIXELS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, tokens + 1, squeeze=False)
    if mean is not None:
        _draw_mean(axes[0], mean, grid)
    for place, example in enumerate(examples, start=first):
        _draw_example(axes[place], example, grid)
    # above the question of the first row, which may run on above the maps
    pad = _ABOVE_QUESTION if mean is None else _ABOVE_MAP
    for token in range(tokens):
        axes[0, token + 1].set_title(f"token {token}", pad=pad, **_HEADING)
    return figure


def _draw_mean(axes: np.ndarray, mean: np.ndarray, grid: tuple[int, int]) -> None:
    axes[0].axis("off")
    axes[0].text(
        0.0,
        0.5,
        "mean over all rows;\nbright: attended.\nBelow: share at the\nquestion itself",
        va="center",
        fontsize=7,
    ).set_in_layout(False)  # as wide as its cell; room made for it would part the maps
    for axis, attention in zip(axes[1:], mean, strict=True):
        axis.imshow(_patches(attention, grid), cmap="gray", vmin=0.0)
        _label(axis, attention)


def _draw_example(axes: np.ndarray, example: AttentionExample, grid: tuple[int, int]) -> None:
    height, width = example.image.shape[:2]
    axes[0].imshow(example.image)
    asked = shorten(example.question, 20 * len(axes), placeholder=" …")
    # the question may run on above the maps, whose line an empty title keeps free
    place = {"xy": (0.0, 1.0), "xytext": (0.0, 4.0), "textcoords": "offset points"}
    note = axes[0].annotate(asked, xycoords="axes fraction", va="bottom", fontsize=8, **place)
    note.set_in_layout(False)
    axes[1].set_title(" ", fontsize=8)
    answer = fill(shorten(example.answer, 2 * _LETTERS, placeholder=" …"), _LETTERS)
    axes[0].set_xlabel(answer, fontsize=8, loc="left")
    _bare(axes[0])
    for axis, attention in zip(axes[1:], example.attention, strict=True):
        axis.imshow(example.image)
        _darken(axis, attention, grid, (-0.5, width - 0.5, height - 0.5, -0.5))


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
