from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from latentvqa.data.scenes.layout import (
    COLOURS,
    SceneObject,
    SceneSpec,
    draw_scene,
    sample_scene,
)
from latentvqa.errors import DataError

SPEC = SceneSpec(canvas=48, objects=3, radius=5, midline_margin=2.0)


def test_objects_lie_on_the_canvas_apart_and_off_the_midlines() -> None:
    for seed in range(200):
        scene = sample_scene(SPEC, Random(seed))
        for place, item in enumerate(scene):
            for coordinate in (item.x, item.y):
                assert SPEC.radius <= coordinate < SPEC.canvas - SPEC.radius
                assert abs(coordinate - 23.5) >= SPEC.midline_margin
            for other in scene[:place]:
                assert max(abs(item.x - other.x), abs(item.y - other.y)) > 2 * SPEC.radius


def test_every_object_has_a_colour_of_its_own_in_the_order_of_colours() -> None:
    scene = sample_scene(SPEC, Random(0))
    assert [item.colour for item in scene] == list(COLOURS)[: SPEC.objects]


def test_how_many_share_a_shape_has_every_answer_equally_often() -> None:
    random = Random(0)
    weights = np.zeros(SPEC.objects + 1)
    for _ in range(3_000):  # each shape of a scene is asked about alike
        shapes = Counter(item.shape for item in sample_scene(SPEC, random))
        for count in shapes.values():
            weights[count] += 1 / len(shapes)
    assert np.abs(weights[1:] / weights.sum() - 1 / 3).max() < 0.03


def test_the_same_random_numbers_give_the_same_scene() -> None:
    assert sample_scene(SPEC, Random(1)) == sample_scene(SPEC, Random(1))
    assert sample_scene(SPEC, Random(1)) != sample_scene(SPEC, Random(2))


def test_a_square_fills_its_box_and_a_circle_does_not() -> None:
    objects = [SceneObject("red", "square", 10, 10), SceneObject("blue", "circle", 30, 30)]
    pixels = np.asarray(draw_scene(objects, SPEC))
    reds = (pixels == COLOURS["red"]).all(-1)
    blues = (pixels == COLOURS["blue"]).all(-1)
    assert reds.sum() == reds[5:16, 5:16].sum() == 11 * 11
    assert 0.6 < blues.sum() / 11**2 < 0.9
    assert blues[30, 30] and blues[25, 30] and not blues[25, 25]
    assert (pixels[~(reds | blues)] == 255).all()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"objects": 1}, "objects 1: must be 2 to 6"),
        ({"objects": 7}, "objects 7: must be 2 to 6"),
        ({"radius": 0}, "too small"),
        ({"canvas": 21}, "canvas 21: too small for objects of radius 5"),
    ],
)
def test_a_specification_that_fits_no_scene_is_refused(changes: dict[str, int], part: str) -> None:
    values = {"canvas": 48, "objects": 3, "radius": 5} | changes
    with pytest.raises(DataError, match=part):
        SceneSpec(**values, midline_margin=2.0)


def test_objects_that_find_no_place_are_refused() -> None:
    with pytest.raises(DataError, match="6 objects of radius 5 do not fit on a canvas of 22"):
        sample_scene(SceneSpec(canvas=22, objects=6, radius=5, midline_margin=0.0), Random(0))
    with pytest.raises(DataError, match="do not fit"):
        sample_scene(SceneSpec(canvas=48, objects=3, radius=5, midline_margin=40.0), Random(0))
