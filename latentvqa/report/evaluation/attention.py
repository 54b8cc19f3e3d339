"""Where the latent tokens look: averaged over the rows, and for single questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING

from latentvqa.core.figures import percent, probability
from latentvqa.report.evaluation.attention_maps import attention_maps
from latentvqa.report.evaluation.heat_map import colour_ramp, heat_map, shrunk
from latentvqa.report.picture import png_of
from latentvqa.report.style import LIGHT

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110
SHARPNESS = 2  # pixels of an image for one of the picture, so that it can be zoomed into
# all in inches
_LARGE = 3.1  # wide, the image and the map of all tokens
_SMALL = 1.4  # wide, at least, the map of one token
_LOWEST, _HIGHEST = 2.2, 4.2  # of the large images
_LABEL = 0.21  # high, above a map
_LINE = 0.2  # high, of a question
_GAP, _MARGIN, _BAR = 0.14, 0.15, 0.13
_TICKS = 0.75  # wide, beside the colour bar
_BETWEEN = 0.3  # rows
_LETTERS = 11  # of a question or a notice, an inch
_MOST_LINES = 2  # of a question or an answer
_MOST_SMALL_ROWS = 3
_MOST_FOR_ZERO = 12.0  # of the colour bar's highest: above it 0 and 1 would touch


@dataclass(frozen=True, eq=False)
class AttentionExample:
    """One question with its image and where each latent token looked.

    Attributes:
        image: RGB pixels, ``(height, width, 3)``.
        question: as asked.
        answer: the model's answer.
        attention: over the patches, row by row, and last the question summary,
            ``(K, P + 1)``.
        confidence: probability of the answer; None where it is not known.
        is_right: whether the answer is a reference; None where there is none.
        reference: the answer that was expected; shown beside a wrong one.
    """

    image: np.ndarray
    question: str
    answer: str
    attention: np.ndarray
    confidence: float | None = None
    is_right: bool | None = None
    reference: str = ""


def attention_png(
    grid: tuple[int, int],
    examples: Sequence[AttentionExample],
    mean: np.ndarray | None = None,
    notice: str = "",
) -> bytes:
    """Draw the maps of the mean and of each example, from above, as a PNG picture.

    Args:
        grid: rows and columns of the patches; P is their product.
        examples: single questions, in the order in which they are drawn; at
            least one where there is no mean.
        mean: attention averaged over all rows, ``(K, P + 1)``; drawn first.
        notice: what a reader should know of all maps; above them.

    Returns:
        The content of the file.
    """
    return png_of(attention_figure(grid, examples, mean, notice))


def attention_figure(
    grid: tuple[int, int],
    examples: Sequence[AttentionExample],
    mean: np.ndarray | None = None,
    notice: str = "",
) -> Figure:
    """The figure of that picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = [_mean_row(grid, mean)] if mean is not None else []
    drawn += [_Row(grid, example) for example in examples]
    width = max(row.width for row in drawn)
    lines = [*_wrapped(HOW_TO_READ, width, 4), *(_wrapped(notice, width, 4) if notice else [])]
    known = len(_wrapped(HOW_TO_READ, width, 4))
    heights = [row.height(width) for row in drawn]
    above = 2 * _MARGIN + _LINE * len(lines)
    height = above + sum(heights) + _BETWEEN * len(drawn)
    figure = Figure((width, height), dpi=PIXELS_PER_INCH)
    FigureCanvasAgg(figure)
    page = _Page(figure, width, height)
    for place, line in enumerate(lines):
        colour = LIGHT["soft"] if place < known else LIGHT["warning"]
        page.text(_MARGIN, _MARGIN + _LINE * place, line, size=8, color=colour)
    top = above
    for row, row_height in zip(drawn, heights, strict=True):
        row.draw(page, top)
        top += row_height + _BETWEEN
    return figure


HOW_TO_READ = (
    "Colour: attention to that place, in multiples of an even share (1 = as if the token looked "
    "everywhere alike). With each name: the share of the attention that goes to the question "
    "itself, not to the image."
)


class _Page:
    """A figure on which things are placed in inches from its upper left corner.

    One system of axes holds everything: each would cost as much time as a map.
    """

    def __init__(self, figure: Figure, width: float, height: float) -> None:
        self.width = width
        self._axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.axis("off")
        self._axes.set(xlim=(0.0, width), ylim=(height, 0.0))

    def picture(
        self, pixels: np.ndarray, left: float, top: float, width: float, height: float
    ) -> None:
        """Show pixels over a whole box."""
        extent = (left, left + width, top + height, top)
        self._axes.imshow(pixels, extent=extent, aspect="auto", interpolation="antialiased")

    def text(self, left: float, top: float, text: str, *, size: float, **how: str) -> None:
        """Write a line; ``top`` is its upper edge unless ``va`` says otherwise."""
        self._axes.text(left, top, text, fontsize=size, **{"va": "top", **how})  # type: ignore[arg-type]


class _Row:
    """One question: its image, the map of all tokens and of each, and a colour bar."""

    def __init__(
        self, grid: tuple[int, int], example: AttentionExample, *, has_image: bool = True
    ) -> None:
        self.example, self.has_image = example, has_image
        self.maps = attention_maps(example.attention, grid)
        tall, wide = example.image.shape[:2]
        self.large: float = min(max(_LARGE * tall / wide, _LOWEST), _HIGHEST)
        count = len(self.maps.tokens) if len(self.maps.tokens) > 1 else 0
        self.small_rows = min(_MOST_SMALL_ROWS, 1 + (count > 2) + (count > 12))
        self.small_columns = ceil(count / self.small_rows)
        inner = self.large - (self.small_rows - 1) * (_LABEL + _GAP)
        self.small = inner / self.small_rows
        self.small_width: float = max(_SMALL, min(self.small * wide / tall, _LARGE))

    @property
    def width(self) -> float:
        tokens = self.small_columns * (self.small_width + _GAP)
        return 2 * _MARGIN + (1 + self.has_image) * (_LARGE + _GAP) + tokens + _BAR + _TICKS

    def height(self, width: float) -> float:
        return _LINE * len(self._headings(width)) + _LABEL + self.large

    def draw(self, page: _Page, top: float) -> None:
        example = self.example
        for line, how in self._headings(page.width):
            page.text(_MARGIN, top, line, size=9, **how)
            top += _LINE
        top += _LABEL
        left = _MARGIN
        pixels = ceil(SHARPNESS * PIXELS_PER_INCH * max(_LARGE, self.large))
        image = shrunk(example.image, pixels)
        if self.has_image:
            self._show(page, image, (left, top, _LARGE, self.large), "image")
            left += _LARGE + _GAP
        maps = self.maps
        self._show(
            page,
            heat_map(image, maps.together, maps.highest),
            (left, top, _LARGE, self.large),
            f"{maps.together_name}, question {percent(maps.at_question.mean())}",
        )
        left += _LARGE + _GAP
        small = shrunk(image, ceil(SHARPNESS * PIXELS_PER_INCH * max(self.small, self.small_width)))
        for token in range(len(maps.tokens) if self.small_columns else 0):
            row, column = divmod(token, self.small_columns)
            place = (
                left + column * (self.small_width + _GAP),
                top + row * (self.small + _LABEL + _GAP),
                self.small_width,
                self.small,
            )
            label = f"token {token}, question {percent(maps.at_question[token])}"
            self._show(page, heat_map(small, maps.tokens[token], maps.highest), place, label)
        left += self.small_columns * (self.small_width + _GAP)
        self._draw_bar(page, left, top)

    def _show(
        self, page: _Page, pixels: np.ndarray, place: tuple[float, float, float, float], label: str
    ) -> None:
        """An image as large as its box permits, in the box's upper left corner."""
        left, top, width, height = place
        tall, wide = self.example.image.shape[:2]
        scale = min(width / wide, height / tall)
        page.picture(pixels, left, top, wide * scale, tall * scale)
        page.text(left, top - 0.17, label, size=7.5, color=LIGHT["soft"])

    def _draw_bar(self, page: _Page, left: float, top: float) -> None:
        page.picture(colour_ramp()[::-1], left, top, _BAR, self.large)
        highest = self.maps.highest
        ticks = {0.0: "0", 1.0: "1 even", highest: self.maps.highest_label}
        if highest > _MOST_FOR_ZERO:
            del ticks[0.0]
        for value, label in ticks.items():
            place = top + self.large * (1.0 - value / highest)
            how = {"size": 7.5, "va": "center", "color": LIGHT["soft"]}
            page.text(left + _BAR, place, f"- {label}", **how)  # type: ignore[arg-type]

    def _headings(self, width: float) -> list[tuple[str, dict[str, str]]]:
        example = self.example
        asked = [
            (line, {"color": LIGHT["ink"], "fontweight": "bold"})
            for line in _wrapped(example.question, width, _MOST_LINES)
        ]
        said, colour = example.answer, LIGHT["ink"]
        if example.confidence is not None:
            said += f" ({probability(example.confidence)})"
        if example.is_right is not None:
            colour = LIGHT["ok"] if example.is_right else LIGHT["critical"]
            said += " - right" if example.is_right else " - wrong"
            if not example.is_right and example.reference:
                said += f", expected {example.reference}"
        return asked + [(line, {"color": colour}) for line in _wrapped(said, width, _MOST_LINES)]


def _mean_row(grid: tuple[int, int], mean: np.ndarray) -> _Row:
    """The mean over all rows, over an even ground in place of an image."""
    import numpy as np

    rows, columns = grid
    ground = np.full((rows * 64, columns * 64, 3), 128, np.uint8)
    example = AttentionExample(ground, "Mean over all rows", "", mean)
    return _Row(grid, example, has_image=False)


def _wrapped(text: str, width: float, most: int) -> list[str]:
    letters = int(_LETTERS * (width - 2 * _MARGIN))
    return wrap(text, letters, max_lines=most, placeholder=" ...")
