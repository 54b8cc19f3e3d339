"""``latentvqa.load``: answers about files, Pillow images and pixels."""

import numpy as np
import pytest
from PIL import Image

import latentvqa
from latentvqa.engine.prediction.predict import predict
from latentvqa.engine.runs.loading import load_model

QUESTION = "what shape is the red object?"


@pytest.fixture(scope="module")
def model(run):
    return latentvqa.load(run)


@pytest.fixture(scope="module")
def image(run):
    return sorted((run.folder / "data" / "images").iterdir())[0]


def test_an_answer_is_what_predict_says_of_the_same_file(run, model, image):
    (row,) = predict(load_model(run.folder), image.parent, [image], [QUESTION])
    found = model.answer(image, QUESTION)
    assert found == latentvqa.Answer(row.answer, row.confidence)
    assert model.answer(str(image), QUESTION) == found
    with Image.open(image) as picture:
        assert model.answer(picture, QUESTION) == found
        assert model.answer(np.asarray(picture.convert("RGB")), QUESTION) == found


def test_a_turned_or_translucent_picture_is_prepared_as_its_file_is(model, tmp_path):
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 255, (40, 60, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, picture in (
        ("clear.png", Image.fromarray(pixels)),
        ("turned.png", Image.fromarray(pixels[..., :3])),
        ("grey.png", Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)),
    ):
        path = tmp_path / name
        picture.save(path, exif=exif)
        with Image.open(path) as opened:
            assert model.answer(opened, QUESTION) == model.answer(path, QUESTION)


def test_every_question_is_answered_about_every_picture(run, model, image):
    with Image.open(image) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    asked = [QUESTION, "how many circles are there?"]
    rows = model.predict([image, pixels], asked)
    assert len(rows) == 2 and rows[0] == rows[1]
    assert rows[0][0].answer == model.answer(image, QUESTION).answer
    assert all(0.0 < found.probability <= 1.0 for found in rows[0])
    assert model.predict([], asked) == []
    assert 0.0 < model.answer(image, QUESTION, samples=2).probability <= 1.0
    assert model.checkpoint.parent == run.folder / "checkpoints" and model.notes == ()


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("absent.png", "absent.png: no such file"),
        (np.zeros((8, 8, 3)), r"float64 and shape \(8, 8, 3\): expected uint8"),
        (np.zeros((3, 8, 8), np.uint8), r"expected uint8, shape \(height, width, 3\)"),
        (np.zeros((0, 8, 3), np.uint8), "there is no pixel"),
        (Image.fromarray(np.full((4, 4), np.nan, np.float32)), "no finite numbers"),
        (7, "of type int: expected a path"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(model, picture, words):
    with pytest.raises(latentvqa.DataError, match=words):
        model.answer(picture, QUESTION)


def test_what_is_asked_wrongly_is_refused(model, image):
    for images, questions, options in (
        ([image], [], {}),
        ([image], [" "], {}),
        ([image], QUESTION, {}),
        (image, [QUESTION], {}),
        ([image], [QUESTION], {"samples": -1}),
    ):
        with pytest.raises(latentvqa.ConfigError):
            model.predict(images, questions, **options)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(latentvqa.CheckpointError, match="no run folder"):
        latentvqa.load(tmp_path)
