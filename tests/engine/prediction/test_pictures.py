"""One picture of the attention for every image that is asked about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.folders.pictures import PictureFile
from latentvqa.engine.prediction.asking import Asked
from latentvqa.engine.prediction.pictures import (
    MOST_QUESTIONS,
    PredictionPictures,
    picture_place,
)
from latentvqa.engine.prediction.predict import Prediction
from tests.small_runs import write_images

GRID = (2, 3)
IMAGES = ["0.png", "sub/1.png", "broken.png"]


def prediction(image, question, *, error=""):
    weights = np.random.default_rng(0).random((2, 7)).astype(np.float32)
    attention = None if error else weights / weights.sum(1, keepdims=True)
    confidence = None if error else 0.5
    asked = Asked(IMAGES.index(image), 0)
    return Prediction(image, question, "yes", confidence, error, "", attention, asked=asked)


@pytest.fixture
def pictures(tmp_path):
    images = write_images(tmp_path / "images", 2)
    (images / "sub").mkdir()
    (images / "1.png").rename(images / "sub" / "1.png")
    files = [PictureFile(name, images / name) for name in IMAGES]
    return PredictionPictures(tmp_path / "why", files, GRID)


def written(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def size_of(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def test_a_picture_is_written_when_the_next_image_comes_and_the_last_at_the_end(pictures, tmp_path):
    folder = tmp_path / "why"
    pictures.add(prediction("0.png", "what?"))
    pictures.add(prediction("0.png", "where?"))
    assert not folder.exists()
    pictures.add(prediction("sub/1.png", "what?"))
    assert written(folder) == [Path("0.png.png")]
    pictures.finish()
    pictures.finish()  # nothing is held any more
    assert written(folder) == [Path("0.png.png"), Path("sub/1.png.png")]
    # two questions about the first image, one about the second
    assert size_of(folder / "0.png.png")[1] > size_of(folder / "sub" / "1.png.png")[1]


def test_an_image_without_an_answer_gets_no_picture(pictures, tmp_path):
    pictures.add(prediction("broken.png", "what?", error="not an image"))
    pictures.add(prediction("0.png", "what?"))
    pictures.finish()
    assert written(tmp_path / "why") == [Path("0.png.png")]


def test_the_first_questions_alone_are_drawn(pictures, tmp_path, monkeypatch):
    assert MOST_QUESTIONS == 20
    monkeypatch.setattr("latentvqa.engine.prediction.pictures.MOST_QUESTIONS", 3)
    heights = []
    for count in (2, 3, 5):
        for place in range(count):
            pictures.add(prediction("0.png", f"question {place}?"))
        pictures.finish()
        newest = max((tmp_path / "why").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        heights.append(size_of(newest)[1])
    assert heights[0] < heights[1] == heights[2]


@pytest.mark.parametrize("name", ["/etc/a.png", "../../a.png", "./b/../a.png", "x.zip/c/a.png"])
def test_every_picture_lies_in_the_folder_whatever_its_name(tmp_path, name):
    place = picture_place(tmp_path, name)
    assert place.resolve().is_relative_to(tmp_path.resolve()) and place.name == "a.png.png"


def test_maps_that_hardly_differ_between_questions_are_pictured_with_a_notice(pictures, tmp_path):
    """The same maps for both questions; for another image maps that are far apart."""
    same = [prediction("0.png", text) for text in ("what?", "where?")]
    other = np.roll(same[1].attention, 1, axis=1)
    apart = [same[0], replace(same[1], attention=other)]
    heights = []
    for rows in (same, apart, [same[0], same[0]]):
        for row in rows:
            pictures.add(row)
        pictures.finish()
        newest = max((tmp_path / "why").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        heights.append(size_of(newest)[1])
    # one question asked twice has equal maps and says nothing about that
    assert heights[0] > heights[1] == heights[2]


def test_a_table_that_comes_back_to_an_image_gets_a_second_picture(pictures, tmp_path):
    for image in ("0.png", "sub/1.png", "0.png"):
        pictures.add(prediction(image, "what?"))
    pictures.finish()
    assert written(tmp_path / "why") == [
        Path("0.png 2.png"),
        Path("0.png.png"),
        Path("sub/1.png.png"),
    ]
    assert picture_place(tmp_path, "/a/b/c.png") == tmp_path / "c.png.png"
