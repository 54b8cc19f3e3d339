"""Pictures of an evaluation: reliability, risk and coverage, mean attention."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.figures import counted, figure, percent
from latentvqa.core.results.confidence import Confidence
from latentvqa.core.results.latent_use import MeanAttention
from latentvqa.report.diagnosis.value_scale import SHARES, even_ticks
from latentvqa.report.evaluation.confidence import LEAST_RISK
from latentvqa.report.evaluation.heat_map import colour_on_grey, highest_shown
from latentvqa.report.page.svg import circle, framed, line, rectangle, text, upward
from latentvqa.report.page.words import share_text

SIDE = 200  # of the square that shares are drawn in
LEFT, TOP, BELOW, RIGHT = 56, 12, 40, 22
WIDTH, HEIGHT = LEFT + SIDE + RIGHT, TOP + SIDE + BELOW
MOST_POINTS = 120  # of a curve
TOLD_POINTS = 20  # of them that tell their values
CELL = 22  # of a map of attention
SCALE_HEIGHT, SCALE_STEPS = 104, 26  # of the bar of its colours


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
    ticks = even_ticks(0.0, max([risk for _, risk in curve] + [LEAST_RISK]))
    top = ticks[-1]
    points = [_at(coverage, risk / top) for coverage, risk in curve]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = _square("share answered, surest first", "share wrong", ticks)
    if found.risk_coverage:
        risk = found.risk_coverage[-1][1] / top
        parts.append(line("mark-line", *_at(0, risk), *_at(1, risk)))
    parts.append(f'<polyline class="curve c0" points="{path}"/>')
    for coverage, risk in _evenly(found.risk_coverage, TOLD_POINTS):
        told = f"the surest {share_text(coverage)} of the answers: {share_text(risk)} wrong"
        parts.append(circle("dot c0", *_at(coverage, risk / top), 3, told))
    title = "Risk and coverage: share of wrong answers among the surest"
    return framed(title, HEIGHT, "".join(parts), WIDTH)


def attention_maps(found: MeanAttention) -> list[tuple[str, str]]:
    """Where all latent tokens look and where each does, and the share at the question.

    The colours and their scale are those of ``attention.png``.

    Returns:
        An ``<svg>`` element and a line for each map, the scale of the colours last;
        none where the maps do not have the shape of the grid.
    """
    rows, columns = found.grid
    if not found.mean or any(len(token) != rows * columns + 1 for token in found.mean):
        return []
    count, looked = rows * columns, [token[:-1] for token in found.mean]
    totals = [max(sum(token), 1e-9) for token in looked]
    maps = [
        [share / total * count for share in token]
        for token, total in zip(looked, totals, strict=True)
    ]
    together = [sum(shares) / sum(totals) * count for shares in zip(*looked, strict=True)]
    peak = max(map(max, maps))
    highest = highest_shown(peak, max(together))
    names = [f"token {number}" for number in range(len(maps))]
    at_question = [token[-1] for token in found.mean]
    if len(maps) > 1:
        maps, names = [together, *maps], [f"all {len(maps)} tokens", *names]
        at_question = [sum(at_question) / len(at_question), *at_question]
    drawn = [
        (_map(one, columns, highest, name), f"{name}, question {percent(share)}")
        for one, name, share in zip(maps, names, at_question, strict=True)
    ]
    return [*drawn, (_colour_scale(highest, is_exceeded=peak > highest), "")]


def _map(values: Sequence[float], columns: int, highest: float, name: str) -> str:
    """A cell for each patch, which tells its value."""
    cells = []
    for place, value in enumerate(values):
        y, x = divmod(place, columns)
        told = f"row {y + 1}, column {x + 1}: {figure(value)} times an even share"
        cell = rectangle("cell", CELL * x, CELL * y, CELL, CELL, told)
        colour = f'style="fill:{colour_on_grey(value / highest)}"'
        cells.append(cell.replace('class="cell"', f'class="cell" {colour}', 1))
    return framed(name, CELL * (len(values) // columns), "".join(cells), CELL * columns)


def _colour_scale(highest: float, *, is_exceeded: bool) -> str:
    """The colours from nothing at the foot to the highest value on top."""
    parts = []
    for step in range(SCALE_STEPS):
        y = 8 + SCALE_HEIGHT * (1 - (step + 1) / SCALE_STEPS)
        cell = rectangle("cell", 0, y, 12, SCALE_HEIGHT / SCALE_STEPS + 0.5)
        colour = f'style="fill:{colour_on_grey(step / (SCALE_STEPS - 1))}"'
        parts.append(cell.replace('class="cell"', f'class="cell" {colour}', 1))
    named = {0.0: "0", 1.0: "1 even", highest: f"{'≥ ' if is_exceeded else ''}{highest:.2g}"}
    for value, name in named.items():
        y = 8 + SCALE_HEIGHT * (1.0 - value / highest)
        parts.append(text("tick", 17, y + 4, name))
    return framed("colour scale, in even shares", SCALE_HEIGHT + 16, "".join(parts), 60)


def _square(below: str, beside: str, ticks: Sequence[float] = SHARES) -> list[str]:
    """Axes in percent, with what they hold; ``ticks`` are those of the upright one."""
    parts = []
    for share in SHARES:
        x, y = _at(share, 0.0)
        parts.append(text("tick", x, y + 16, f"{share * 100:.0f} %", "middle"))
    for share in ticks:
        x, y = _at(0.0, share / ticks[-1])
        parts.append(line("grid zero" if share == 0.0 else "grid", x, y, x + SIDE, y))
        parts.append(text("tick", x - 5, y + 3.5, percent(share), "end"))
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
