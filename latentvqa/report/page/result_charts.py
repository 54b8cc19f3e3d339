"""Pictures of an evaluation: reliability, risk and coverage, mean attention."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.results.confidence import Confidence
from latentvqa.core.results.latent_use import MeanAttention
from latentvqa.report.page.svg import circle, framed, line, rectangle, text, upward
from latentvqa.report.page.words import counted, share_text

SIDE = 200  # of the square that shares are drawn in
LEFT, TOP, BELOW, RIGHT = 48, 12, 40, 22
WIDTH, HEIGHT = LEFT + SIDE + RIGHT, TOP + SIDE + BELOW
MOST_POINTS = 120  # of a curve
TOLD_POINTS = 20  # of them that tell their values
CELL = 22  # of a map of attention


def reliability_chart(found: Confidence) -> str:
    """How often answers of like confidence are right, as an ``<svg>`` element.

    Bars: share right. Dots: mean confidence, as large as their share of the answers.
    """
    bins = [one for one in found.reliability if one.rows]
    rows = sum(one.rows for one in bins)
    parts = [*_square("confidence", "share right"), line("mark-line", *_at(0, 0), *_at(1, 1))]
    for one in bins:
        x, y = _at(one.low, one.accuracy)
        told = (
            f"confidence {share_text(one.low)} to {share_text(one.high)}: "
            f"{counted(one.rows, 'answer')}, mean confidence {share_text(one.confidence)}, "
            f"right {share_text(one.accuracy)}"
        )
        parts.append(rectangle("share", x, y, SIDE * (one.high - one.low), TOP + SIDE - y, told))
        dot = 2.5 + 6.0 * (one.rows / rows) ** 0.5
        parts.append(circle("dot c1", *_at(one.confidence, one.accuracy), dot, told))
    title = "Reliability: share of right answers by confidence"
    return framed(title, HEIGHT, "".join(parts), WIDTH)


def risk_chart(found: Confidence) -> str:
    """The share of wrong answers among the surest, as an ``<svg>`` element."""
    curve = _evenly(found.risk_coverage, MOST_POINTS)
    points = [_at(coverage, risk) for coverage, risk in curve]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = _square("share answered, surest first", "share wrong")
    if found.risk_coverage:
        risk = found.risk_coverage[-1][1]
        parts.append(line("mark-line", *_at(0, risk), *_at(1, risk)))
    parts.append(f'<polyline class="curve c0" points="{path}"/>')
    for coverage, risk in _evenly(found.risk_coverage, TOLD_POINTS):
        told = f"the surest {share_text(coverage)} of the answers: {share_text(risk)} wrong"
        parts.append(circle("dot c0", *_at(coverage, risk), 3, told))
    title = "Risk and coverage: share of wrong answers among the surest"
    return framed(title, HEIGHT, "".join(parts), WIDTH)


def attention_maps(found: MeanAttention) -> list[tuple[str, str]]:
    """For each latent token a map of where it looks, and the share at the question.

    Returns:
        An ``<svg>`` element and a line for each token; none where the maps do not
        have the shape of the grid.
    """
    rows, columns = found.grid
    if any(len(token) != rows * columns + 1 for token in found.mean):
        return []
    largest = max((share for token in found.mean for share in token[:-1]), default=0.0) or 1.0
    maps = []
    for number, token in enumerate(found.mean):
        cells = []
        for place, share in enumerate(token[:-1]):
            y, x = divmod(place, columns)
            told = f"row {y + 1}, column {x + 1}: {share_text(share)}"
            cell = rectangle("cell", CELL * x, CELL * y, CELL, CELL, told)
            opacity = f'style="fill-opacity:{max(share, 0.0) / largest:.3f}"'
            cells.append(cell.replace('class="cell"', f'class="cell" {opacity}', 1))
        picture = framed(f"token {number}", CELL * rows, "".join(cells), CELL * columns)
        maps.append((picture, f"token {number}: {share_text(token[-1])} at the question"))
    return maps


def _square(below: str, beside: str) -> list[str]:
    """Axes from 0 to 100 % both ways, with what they hold."""
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        name = f"{share * 100:.0f} %"
        x, y = _at(share, share)
        parts.append(line("grid", LEFT, y, LEFT + SIDE, y))
        parts.append(text("tick", LEFT - 5, y + 3.5, name, "end"))
        parts.append(text("tick", x, TOP + SIDE + 16, name, "middle"))
    parts.append(text("label", LEFT + SIDE / 2, HEIGHT - 6, below, "middle"))
    parts.append(upward("label", 10, TOP + SIDE / 2, beside))
    return parts


def _at(x: float, y: float) -> tuple[float, float]:
    """Where two shares stand."""
    return LEFT + SIDE * min(max(x, 0.0), 1.0), TOP + SIDE * (1.0 - min(max(y, 0.0), 1.0))


def _evenly(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Points taken evenly, the last among them."""
    count = min(most, len(points))
    return [points[(step + 1) * len(points) // count - 1] for step in range(count)]
