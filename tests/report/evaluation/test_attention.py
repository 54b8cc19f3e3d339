import re
from dataclasses import replace
from itertools import combinations

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


def images(figure):
    return figure.get_axes()[0].images


@pytest.mark.parametrize(("tokens", "rows"), [(1, 2), (2, 1), (6, 1), (6, 3)])
@pytest.mark.parametrize("has_mean", [False, True])
def test_no_text_hides_another_or_leaves_the_picture(tokens, rows, has_mean):
    examples = [example(LONG, "two red things and one of blue " * 3, tokens)][:1] * rows
    mean = examples[0].attention if has_mean else None
    figure = attention_figure(GRID, examples, mean)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_maps_and_images_fill_the_picture():
    figure = attention_figure(GRID, [example(LONG, "two", 6)])
    figure.canvas.draw()
    boxes_of_images = [one.get_window_extent() for one in images(figure)]
    filled = sum(box.width * box.height for box in boxes_of_images)
    assert filled > 0.4 * figure.bbox.width * figure.bbox.height
    for one, other in combinations(boxes_of_images, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("tokens", [1, 2, 3, 6, 13])
def test_every_token_has_a_map_beside_the_image_and_the_map_of_all(tokens):
    figure = attention_figure(GRID, [example("Q?", "A", tokens)])
    shown = [text for text, _ in boxes(figure)]
    named = {text.split(",")[0] for text in shown if re.match(r"token \d", text)}
    assert named == ({f"token {token}" for token in range(tokens)} if tokens > 1 else set())
    assert sum("question" in text and text.endswith(" %") for text in shown) == len(named) + 1
    maps_and_image, bar = len(named) + 2, 1
    assert len(images(figure)) == maps_and_image + bar


@pytest.mark.parametrize("size", [(30, 300), (300, 30), (1, 1), (400, 400)])
def test_images_of_every_shape_find_room(size):
    one = replace(example(LONG, "yes", 6), image=np.full((*size, 3), 200, np.uint8))
    figure = attention_figure(GRID, [one, one])
    assert overlapping(figure) == []
    assert outside(figure) == []


def drawn_texts(**changes):
    figure = attention_figure(GRID, [replace(example("Q?", "two", 2), **changes)])
    return [text for text, _ in boxes(figure)]


def test_an_answer_says_how_sure_it_is_and_whether_it_is_right():
    assert "two" in drawn_texts()
    assert "two (81.5 %)" in drawn_texts(confidence=0.815)
    assert "two (80.0 %) - right" in drawn_texts(confidence=0.8, is_right=True, reference="two")
    assert "two - wrong, expected three" in drawn_texts(is_right=False, reference="three")


def test_the_colour_bar_is_in_even_shares_and_says_where_it_is_cut():
    even = np.full((2, 13), 1 / 13)
    assert {"- 0", "- 1 even", "- 2"} <= set(drawn_texts(attention=even))
    peaked = np.zeros((2, 13))
    peaked[0, :-1] = 1 / 12
    peaked[1, 0] = 1.0
    # the first looks everywhere, the second at one place of 12: together 6.5 times an even share
    assert {"- 1 even", "- 12"} <= set(drawn_texts(attention=peaked))
    alone = np.full((4, 13), 1 / 13)
    # together 3.92 times an even share where it is most, and the colours end at twice that
    alone[3] = [1.0] + 12 * [0.0]
    assert "- ≥ 7.8" in drawn_texts(attention=alone)


def test_a_notice_stands_above_all_maps_in_whole():
    words = "the maps hardly differ " * 9
    figure = attention_figure(GRID, [example(LONG, "A", 2)], None, words.strip())
    shown = " ".join(text for text, _ in boxes(figure))
    assert words.strip() in shown
    assert overlapping(figure) == []


def test_the_picture_is_a_png():
    assert attention_png(GRID, [example("$x_{$", "\udcff", 1)]).startswith(b"\x89PNG")
