from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentvqa.config import Text
from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import left_out_matches
from latentvqa.data.blind.rows import blind_rows
from latentvqa.data.scenes.layout import COLOURS
from latentvqa.data.scenes.questions import FAMILIES
from latentvqa.data.scenes.writing import Level, make_scenes
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.errors import DataError, OutputError


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def seen_objects(path: Path) -> dict[str, tuple[str, float, float]]:
    """Find shape and centre of each colour from the pixels alone."""
    pixels = pixels_of(path)
    objects = {}
    for colour, value in COLOURS.items():
        ys, xs = np.nonzero((pixels == value).all(axis=-1))
        if len(xs):
            box = (np.ptp(xs) + 1) * (np.ptp(ys) + 1)
            shape = "square" if len(xs) == box else "circle"
            objects[colour] = (shape, (xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2)
    return objects


def true_answer(
    row: dict[str, str], objects: dict[str, tuple[str, float, float]], side: int
) -> str:
    colour = next(c for c in COLOURS if re.search(rf"\b{c}\b", row["question"]))
    shape, x, y = objects[colour]
    others = [item for name, item in objects.items() if name != colour]
    distances = [math.hypot(item[1] - x, item[2] - y) for item in others]
    return {
        "shape": shape,
        "left": "yes" if x < side / 2 - 0.5 else "no",
        "top": "yes" if y < side / 2 - 0.5 else "no",
        "closest": others[int(np.argmin(distances))][0],
        "furthest": others[int(np.argmax(distances))][0],
        "count": str(sum(item[0] == shape for item in objects.values())),
    }[row["type"]]


@pytest.mark.parametrize(("level", "side", "count"), [("full", 75, 6), ("easy", 48, 3)])
def test_every_answer_is_true_of_the_pixels(
    tmp_path: Path, level: Level, side: int, count: int
) -> None:
    path = make_scenes(tmp_path, images=60, seed=5, level=level)
    objects = {image.name: seen_objects(image) for image in (tmp_path / "images").iterdir()}
    assert {len(found) for found in objects.values()} == {count}
    for row in rows_of(path):
        assert row["answer"] == true_answer(row, objects[row["image"]], side), row
    assert pixels_of(tmp_path / "images" / "00000.png").shape == (side, side, 3)


def test_objects_do_not_touch(tmp_path: Path) -> None:
    make_scenes(tmp_path, images=40, seed=1)
    for image in (tmp_path / "images").iterdir():
        places = [(x, y) for _, x, y in seen_objects(image).values()]
        for i, (x, y) in enumerate(places):
            assert all(max(abs(x - a), abs(y - b)) >= 12 for a, b in places[:i])


def test_the_same_seed_gives_the_same_bytes_however_many_images(tmp_path: Path) -> None:
    few = make_scenes(tmp_path / "few", images=5, seed=3)
    many = make_scenes(tmp_path / "many", images=9, seed=3)
    other = make_scenes(tmp_path / "other", images=5, seed=4)
    assert many.read_bytes().startswith(few.read_bytes())
    assert other.read_bytes() != few.read_bytes()
    for image in (tmp_path / "few" / "images").iterdir():
        assert image.read_bytes() == (tmp_path / "many" / "images" / image.name).read_bytes()


def test_questions_differ_within_an_image_and_half_are_relational(tmp_path: Path) -> None:
    rows = rows_of(make_scenes(tmp_path, images=30, seed=0))
    by_image = defaultdict(list)
    for row in rows:
        by_image[row["image"]].append(row)
    assert {row["type"] for row in rows} == set(FAMILIES)
    for asked in by_image.values():
        assert len({row["question"] for row in asked}) == len(asked) == 20
        assert sum(row["type"] in ("closest", "furthest", "count") for row in asked) == 10


@pytest.mark.parametrize(("level", "floor"), [("full", 0.5), ("easy", 0.5)])
def test_the_blind_floor_is_low_and_the_answers_balanced(
    tmp_path: Path, level: Level, floor: float
) -> None:
    path = make_scenes(tmp_path, images=400, seed=0, level=level)
    table = read_questions(path, images=tmp_path / "images")
    tokenizers = train_tokenizers(Text(), table)
    rows = blind_rows(EncodedTable(table, tokenizers, 32, 8))
    found = left_out_matches(rows, tokenizers.answer.size)
    assert max(right.mean() for right in found.values()) < floor
    assert table.types is not None
    for family in set(table.types):
        counts = Counter(
            a for a, kind in zip(table.targets, table.types, strict=True) if kind == family
        )
        assert max(counts.values()) / counts.total() < 1.25 / len(counts)


def test_canvas_objects_and_families_can_be_chosen(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = make_scenes(
        tmp_path,
        images=3,
        seed=0,
        level="easy",
        canvas=64,
        objects=4,
        radius=6,
        families=["closest"],
        questions_per_image=4,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert {row["type"] for row in rows_of(path)} == {"closest"}
    assert len(seen_objects(tmp_path / "images" / "00000.png")) == 4
    assert pixels_of(tmp_path / "images" / "00000.png").shape == (64, 64, 3)
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"images": 0}, "at least one image"),
        ({"level": "hard"}, "easy or full"),
        ({"objects": 7}, "objects 7"),
        ({"canvas": 8}, "canvas 8"),
        ({"canvas": 24}, "do not fit"),
        ({"families": ["size"]}, "choose from"),
        ({"families": ()}, "choose from"),
        ({"questions_per_image": 200}, "different ones"),
    ],
)
def test_arguments_that_fit_no_scene_are_refused(
    tmp_path: Path, options: dict[str, object], part: str
) -> None:
    with pytest.raises(DataError, match=part):
        make_scenes(tmp_path, **({"images": 1, "seed": 0} | options))  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        make_scenes(tmp_path / "file", images=1, seed=0)


def bytes_below(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_scenes_are_replaced_only_when_asked_and_leave_nothing_of_the_earlier(
    tmp_path: Path,
) -> None:
    make_scenes(tmp_path, images=3, seed=0)
    known = bytes_below(tmp_path)
    with pytest.raises(OutputError, match=r"not empty.*--overwrite"):
        make_scenes(tmp_path, images=2, seed=1)
    assert bytes_below(tmp_path) == known
    make_scenes(tmp_path, images=2, seed=1, overwrite=True)
    make_scenes(tmp_path / "new", images=2, seed=1)
    replaced = {name: it for name, it in bytes_below(tmp_path).items() if "new/" not in name}
    assert replaced == bytes_below(tmp_path / "new")


@pytest.mark.parametrize("name", ["questions.csv", "images/00000.png", "thesis.txt", ".git"])
def test_no_foreign_file_is_replaced_even_when_asked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError):
            make_scenes(tmp_path, images=2, seed=0, overwrite=overwrite)
    assert bytes_below(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize("name", ["images/00002.png", "images/photo.png", "notes.txt"])
def test_files_that_came_to_the_scenes_are_named_and_kept(tmp_path: Path, name: str) -> None:
    make_scenes(tmp_path, images=2, seed=0)
    (tmp_path / name).write_text("mine")
    known = bytes_below(tmp_path)
    with pytest.raises(OutputError, match=f"no scenes: {name}"):
        make_scenes(tmp_path, images=5, seed=1, overwrite=True)
    assert bytes_below(tmp_path) == known


def test_work_that_stops_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_scenes(tmp_path / "new", images=2, seed=0, progress=stop)
    assert not (tmp_path / "new").exists()
    make_scenes(tmp_path, images=2, seed=0)
    known = bytes_below(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        make_scenes(tmp_path, images=2, seed=1, overwrite=True, progress=stop)
    assert bytes_below(tmp_path) == known


def test_scenes_that_came_into_being_meanwhile_are_left(tmp_path: Path) -> None:
    def other(done: int, total: int) -> None:
        if done == 1:
            make_scenes(tmp_path, images=2, seed=1)

    with pytest.raises(DataError, match="cannot be written"):
        make_scenes(tmp_path, images=2, seed=0, progress=other)
    make_scenes(tmp_path / "same", images=2, seed=1)
    known = {name: it for name, it in bytes_below(tmp_path).items() if "same/" not in name}
    assert known == bytes_below(tmp_path / "same")
