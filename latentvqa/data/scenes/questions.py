"""Questions about a built-in scene, with their answers.

Families as in Sort-of-CLEVR (Santoro et al. 2017, arXiv:1706.01427): three
about one object, three about its relation to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from latentvqa.data.scenes.layout import SceneObject
from latentvqa.errors import DataError

RELATIONAL = ("closest", "furthest", "count")
PHRASINGS = {
    "shape": (
        "What shape is the {} object?",
        "What is the shape of the {} thing?",
        "Which shape does the {} object have?",
    ),
    "left": (
        "Is the {} object on the left?",
        "Is the {} thing in the left half of the image?",
        "Does the {} object lie on the left side?",
    ),
    "top": (
        "Is the {} object at the top?",
        "Is the {} thing in the top half of the image?",
        "Does the {} object lie in the upper part?",
    ),
    "closest": (
        "What shape is the object closest to the {} one?",
        "What is the shape of the thing nearest to the {} object?",
        "Which shape lies closest to the {} object?",
    ),
    "furthest": (
        "What shape is the object furthest from the {} one?",
        "What is the shape of the thing most distant from the {} object?",
        "Which shape lies furthest from the {} object?",
    ),
    "count": (
        "How many objects have the shape of the {} object?",
        "How many things are of the same shape as the {} one, itself included?",
        "What is the number of objects shaped like the {} one, with that one?",
    ),
}
FAMILIES = tuple(PHRASINGS)


@dataclass(frozen=True)
class SceneQuestion:
    """A question, its answer and its family."""

    text: str
    answer: str
    family: str


def ask_scene(
    objects: Sequence[SceneObject],
    canvas: int,
    *,
    count: int,
    families: Sequence[str],
    random: Random,
) -> list[SceneQuestion]:
    """Ask different questions about a scene, the families in turn.

    With both kinds of families, single-object and relational ones alternate,
    so half of an even number of questions is relational.

    Raises:
        DataError: for an unknown family, or if the scene has fewer questions.
    """
    unknown = [family for family in families if family not in FAMILIES]
    if unknown or not families:
        raise DataError(f"families {list(families)}: choose from {', '.join(FAMILIES)}")
    open_questions = {family: _subjects(objects, family, random) for family in families}
    turns = _turns(families, random)
    asked: list[SceneQuestion] = []
    skipped = 0
    while len(asked) < count:
        family = turns[(len(asked) + skipped) % len(turns)]
        if not open_questions[family]:
            skipped += 1
            if not any(open_questions.values()):
                raise DataError(
                    f"questions_per_image {count}: a scene has only {len(asked)} different ones; "
                    "ask fewer, or add families or objects"
                )
            continue
        subject, phrasing = open_questions[family].pop()
        answer = answer_scene(objects, canvas, family, subject)
        asked.append(SceneQuestion(phrasing.format(subject.colour), answer, family))
    random.shuffle(asked)
    return asked


def answer_scene(
    objects: Sequence[SceneObject], canvas: int, family: str, subject: SceneObject
) -> str:
    """Return the true answer to a question of a family about one object."""
    if family == "shape":
        return subject.shape
    if family == "left":
        return _yes_or_no(2 * subject.x < canvas - 1)
    if family == "top":
        return _yes_or_no(2 * subject.y < canvas - 1)
    if family == "count":
        return str(sum(item.shape == subject.shape for item in objects))
    by_distance = sorted(_others(objects, subject), key=lambda item: _distance(item, subject))
    return by_distance[0 if family == "closest" else -1].shape


def _subjects(
    objects: Sequence[SceneObject], family: str, random: Random
) -> list[tuple[SceneObject, str]]:
    """Return every object and phrasing of a family that has one answer, shuffled."""
    subjects = [item for item in objects if _is_decided(objects, family, item)]
    pairs = [(item, phrasing) for item in subjects for phrasing in PHRASINGS[family]]
    random.shuffle(pairs)
    if family == "count":
        _alternate_shapes(pairs, random)
    return pairs


def _alternate_shapes(pairs: list[tuple[SceneObject, str]], random: Random) -> None:
    """Ask about both shapes equally, or a number would go with the larger group."""
    first = random.choice(["circle", "square"])
    seen = {"circle": 0, "square": 0}
    rank: dict[tuple[SceneObject, str], float] = {}
    for item, phrasing in reversed(pairs):
        rank[item, phrasing] = seen[item.shape] + (0.0 if item.shape == first else 0.5)
        seen[item.shape] += 1
    pairs.sort(key=lambda pair: rank[pair], reverse=True)


def _is_decided(objects: Sequence[SceneObject], family: str, subject: SceneObject) -> bool:
    if family not in ("closest", "furthest"):
        return True
    distances = sorted(_distance(item, subject) for item in _others(objects, subject))
    if len(distances) < 2:
        return True
    return distances[0] < distances[1] if family == "closest" else distances[-2] < distances[-1]


def _turns(families: Sequence[str], random: Random) -> list[str]:
    """Order the families, alternating between single-object and relational."""
    single = [family for family in families if family not in RELATIONAL]
    relational = [family for family in families if family in RELATIONAL]
    random.shuffle(single)
    random.shuffle(relational)
    if len(single) == len(relational):
        return [family for pair in zip(single, relational, strict=True) for family in pair]
    turns = single + relational
    random.shuffle(turns)
    return turns


def _others(objects: Sequence[SceneObject], subject: SceneObject) -> list[SceneObject]:
    return [item for item in objects if item != subject]


def _distance(a: SceneObject, b: SceneObject) -> int:
    return (a.x - b.x) ** 2 + (a.y - b.y) ** 2


def _yes_or_no(is_true: bool) -> str:
    return "yes" if is_true else "no"
