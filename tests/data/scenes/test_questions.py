from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from latentvqa.data.scenes.layout import SceneObject, SceneSpec, sample_scene
from latentvqa.data.scenes.questions import (
    FAMILIES,
    PHRASINGS,
    RELATIONAL,
    answer_scene,
    ask_scene,
)
from latentvqa.errors import DataError

CANVAS = 48
RED = SceneObject("red", "circle", 10, 10)
GREEN = SceneObject("green", "square", 20, 10)
BLUE = SceneObject("blue", "circle", 40, 40)
SCENE = [RED, GREEN, BLUE]


def test_every_phrasing_names_its_colour_once() -> None:
    for phrasings in PHRASINGS.values():
        assert len(set(phrasings)) >= 3
        assert all(phrasing.count("{}") == 1 for phrasing in phrasings)


@pytest.mark.parametrize(
    ("family", "answers"),
    [
        ("shape", ["circle", "square", "circle"]),
        ("left", ["yes", "yes", "no"]),
        ("top", ["yes", "yes", "no"]),
        ("closest", ["square", "circle", "square"]),
        ("furthest", ["circle", "circle", "circle"]),
        ("count", ["2", "1", "2"]),
    ],
)
def test_the_answer_is_that_of_the_scene(family: str, answers: list[str]) -> None:
    assert [answer_scene(SCENE, CANVAS, family, item) for item in SCENE] == answers


def test_a_question_with_two_answers_is_not_asked() -> None:
    # green and blue lie equally far from red, and only from red
    scene = [RED, SceneObject("green", "square", 10, 20), SceneObject("blue", "circle", 20, 10)]
    for family in ("closest", "furthest"):
        count = 2 * len(PHRASINGS[family])
        asked = ask_scene(scene, CANVAS, count=count, families=[family], random=Random(0))
        assert not any(" red " in question.text for question in asked)
        with pytest.raises(DataError, match=f"a scene has only {count} different"):
            ask_scene(scene, CANVAS, count=count + 1, families=[family], random=Random(0))


def scene_of(seed: int, objects: int = 6) -> list[SceneObject]:
    spec = SceneSpec(canvas=75, objects=objects, radius=5, midline_margin=2.0)
    return sample_scene(spec, Random(seed))


@pytest.mark.parametrize("count", [1, 7, 20])
def test_questions_differ_and_half_are_relational(count: int) -> None:
    for seed in range(20):
        asked = ask_scene(scene_of(seed), 75, count=count, families=FAMILIES, random=Random(seed))
        assert len({question.text for question in asked}) == len(asked) == count
        relational = sum(question.family in RELATIONAL for question in asked)
        assert abs(relational - count / 2) <= 0.5


def test_every_question_stands_under_its_family_with_its_answer() -> None:
    scene = scene_of(3)
    by_colour = {item.colour: item for item in scene}
    for question in ask_scene(scene, 75, count=40, families=FAMILIES, random=Random(0)):
        (subject,) = (item for name, item in by_colour.items() if f" {name} " in question.text)
        texts = [phrasing.format(subject.colour) for phrasing in PHRASINGS[question.family]]
        assert question.text in texts
        assert question.answer == answer_scene(scene, 75, question.family, subject)


def test_counting_asks_about_both_shapes_alike() -> None:
    shapes: Counter[str] = Counter()
    for seed in range(300):
        scene = scene_of(seed)
        if len({item.shape for item in scene}) < 2:
            continue
        (question,) = ask_scene(scene, 75, count=1, families=["count"], random=Random(seed))
        shapes.update(item.shape for item in scene if f" {item.colour} " in question.text)
    assert abs(shapes["circle"] / shapes.total() - 0.5) < 0.1


@pytest.mark.parametrize("families", [(), ("size",), ("shape", "size")])
def test_unknown_families_are_refused_with_the_known_ones(families: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="choose from shape, left, top, closest, furthest, count"):
        ask_scene(SCENE, CANVAS, count=1, families=families, random=Random(0))


def test_more_questions_than_a_scene_has_are_refused_with_their_number() -> None:
    with pytest.raises(DataError, match="questions_per_image 10: a scene has only 9 different"):
        ask_scene(SCENE, CANVAS, count=10, families=["shape"], random=Random(0))
