from itertools import pairwise

import numpy as np
import pytest

from latentvqa.report.evaluation.attention import (
    AttentionExample,
    attention_figure,
    attention_png,
)
from tests.report.drawn_texts import boxes, outside, overlapping

GRID = (3, 4)
LONG = "How many red things are left of the large blue metallic sphere behind the cube? " * 3


def example(question, answer, tokens):
    draws = np.random.default_rng(0)
    attention = draws.dirichlet(np.ones(GRID[0] * GRID[1] + 1), size=tokens)
    return AttentionExample(np.full((30, 40, 3), 200, np.uint8), question, answer, attention)


@pytest.mark.parametrize(("tokens", "rows"), [(1, 2), (2, 1), (6, 1), (6, 3)])
@pytest.mark.parametrize("has_mean", [False, True])
def test_no_text_hides_another_or_leaves_the_picture(tokens, rows, has_mean):
    examples = [example(LONG, "two red things and one of blue " * 3, tokens)][:1] * rows
    mean = examples[0].attention if has_mean else None
    figure = attention_figure(GRID, examples, mean)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_maps_and_images_fill_the_picture():
    examples = [example(LONG, "two red things and one of blue " * 3, 6)]
    figure = attention_figure(GRID, examples, examples[0].attention)
    figure.canvas.draw()
    places = [axis.get_position() for axis in figure.get_axes()[-7:]]
    gaps = [right.x0 - left.x1 for left, right in pairwise(places)]
    assert max(gaps) < 0.03


def test_the_share_at_the_question_itself_stands_below_each_map():
    figure = attention_figure(GRID, [example("Q?", "A", 2)])
    shown = [text for text, _ in boxes(figure)]
    assert {"token 0", "token 1"} <= {text.strip() for text in shown}
    assert sum(text.endswith(" %") for text in shown) == 2


def test_the_picture_is_a_png():
    assert attention_png(GRID, [example("$x_{$", "\udcff", 1)]).startswith(b"\x89PNG")
