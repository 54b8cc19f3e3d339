"""``latentvqa.load``: answers about files, Pillow images and pixels."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import latentvqa
from latentvqa.data.decoding import decode_image
from latentvqa.data.folders.pictures import PictureFile
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import PredictionSettings, predict
from latentvqa.engine.runs.loading import load_model
from tests.exported_run import program_of_the_page

BASELINE = {"stage": "baseline"}
QUESTION = "what shape is the red object?"


@pytest.fixture(scope="module")
def model(run):
    return latentvqa.load(run)


@pytest.fixture(scope="module")
def image(run):
    return sorted((run.folder / "data" / "images").iterdir())[0]


def test_an_answer_is_what_predict_says_of_the_same_file(run, model, image):
    (row,) = predict(load_model(run.folder), Asking([PictureFile("", image)], [QUESTION]))
    found = model.answer(image, QUESTION)
    assert found == latentvqa.Answer(row.answer, row.confidence, question=QUESTION)
    assert model.answer(str(image), QUESTION) == found
    with Image.open(image) as picture:
        assert model.answer(picture, QUESTION) == found
        assert model.answer(np.asarray(picture.convert("RGB")), QUESTION) == found
    assert model.answer(image.read_bytes(), QUESTION) == found


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


def test_a_batch_is_a_question_for_each_picture_in_its_order(run, model):
    images = sorted((run.folder / "data" / "images").iterdir())[:3]
    opened = decode_image(images[2])
    pairs = [
        (images[0], QUESTION),
        (images[1], "how many circles are there?"),
        (str(images[0]), "how many circles are there?"),
        (opened, QUESTION),
        (opened, "how many circles are there?"),
    ]
    found = model.answer_batch(*zip(*pairs, strict=True))
    assert [one.question for one in found] == [question for _, question in pairs]
    for one, (image, question) in zip(found, pairs, strict=True):
        alone = model.answer(image, question)
        assert one.answer == alone.answer
        assert one.probability == pytest.approx(alone.probability, rel=1e-5)
    assert model.answer_batch([], []) == []
    stack = np.stack([np.asarray(decode_image(image)) for image in images])
    assert len(model.predict(stack, [QUESTION])) == 3


def test_other_answers_and_attention_are_those_of_predict(run, model, image):
    loaded = load_model(run.folder)
    settings = PredictionSettings(top=4, is_explained=True)
    (row,) = predict(loaded, Asking([PictureFile("", image)], [QUESTION]), None, settings)
    found = model.answer(image, QUESTION, top=4, attention=True)
    assert found.others == row.others and len(found.others) == 3
    assert found.probability >= found.others[0][1]
    assert found.attention.tokens.shape == (loaded.spec.latent_tokens, *loaded.model.vision.grid)
    np.testing.assert_array_equal(found.attention.whole, row.attention)
    assert model.answer(image, QUESTION).others == ()
    assert model.answer(image, QUESTION).attention is None


def test_what_the_model_cannot_read_is_noted(model, image):
    assert "unknown" in model.answer(image, f"{QUESTION} xyzzy").note
    assert model.answer(image, QUESTION).note == ""


def test_a_notebook_shows_an_answer_with_its_maps(model, image):
    html = model.answer(image, QUESTION, top=3, attention=True)._repr_html_()
    assert QUESTION in html and "Where each latent token looked" in html


def test_maps_of_several_questions_are_compared_and_of_one_the_test_of_the_run_speaks(
    model, run, tmp_path
):
    grey = Image.new("RGB", (48, 48), "grey")
    alike = [QUESTION, f"{QUESTION}?"]  # in a model that hardly learnt anything
    for found in model.predict([grey], alike, attention=True)[0]:
        assert "divergence 0.0000 bits" in found.attention.notice
    copied = shutil.copytree(run.folder, tmp_path / "run")
    path = copied / "evaluations" / "validation" / "evaluation.json"
    (path.parent / "sums.json").unlink()
    held = json.loads(path.read_text())
    for divergence, words in ((0.0005, "divergence 0.0005 bits"), (0.02, "")):
        held["latent_use"]["map_divergence"] = divergence
        path.write_text(json.dumps(held))
        asked = latentvqa.load(copied).answer(grey, QUESTION, attention=True)
        assert words in asked.attention.notice and bool(asked.attention.notice) == bool(words)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("absent.png", "absent.png: no such file"),
        (np.zeros((3, 8, 8), np.uint8), "Channels come last"),
        (torch.zeros(3, 8, 3), "either side could be the channels"),
        (b"no picture", "10 bytes: not an image"),
        (np.zeros((0, 8, 3), np.uint8), "there is no pixel"),
        (Image.fromarray(np.full((4, 4), np.nan, np.float32)), "no finite numbers"),
        (7, "of type int: expected a path"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(model, picture, words):
    with pytest.raises(latentvqa.DataError, match=words):
        model.answer(picture, QUESTION)


def test_what_is_asked_wrongly_is_refused(model, image):
    for images, questions, options, words in (
        ([image], [], {}, "nothing is asked"),
        ([image], [" "], {}, "nothing is asked"),
        ([image], [7], {}, "nothing is asked"),
        ([image], QUESTION, {}, "give a list of questions"),
        (image, [QUESTION], {}, "give a list of pictures"),
        (np.zeros((8, 8, 3), np.uint8), [QUESTION], {}, "give a list of pictures"),
        (torch.zeros(3, 8, 8), [QUESTION], {}, "give a list of pictures"),
        ([image], [QUESTION], {"samples": -1}, "samples = -1"),
        ([image], [QUESTION], {"top": 0}, "top = 0: must be from 1 to 100"),
    ):
        with pytest.raises(latentvqa.ConfigError, match=words):
            model.predict(images, questions, **options)
    with pytest.raises(latentvqa.ConfigError, match="use answer_batch"):
        model.answer(image, [QUESTION])
    with pytest.raises(latentvqa.ConfigError, match="1 image and 2 questions"):
        model.answer_batch([image], [QUESTION, QUESTION])


def test_a_model_without_a_latent_has_no_attention_and_overflow_is_told(run, image):
    loaded = load_model(run.folder)
    without = latentvqa.Answerer(replace(loaded, facts={**loaded.facts, "record": BASELINE}))
    assert not without.has_latent
    with pytest.raises(latentvqa.ConfigError, match="answers without latent tokens"):
        without.answer(image, QUESTION, attention=True)
    with torch.no_grad():
        next(loaded.model.vision.parameters()).fill_(float("nan"))
    with pytest.raises(latentvqa.DataError, match="numbers run over"):
        latentvqa.Answerer(loaded).answer(image, QUESTION)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(latentvqa.CheckpointError, match="no run folder"):
        latentvqa.load(tmp_path)


@pytest.mark.heavy
def test_an_export_answers_in_onnxruntime_as_the_model_does(model, image, tmp_path, capsys):
    done = model.export(tmp_path / "onnx")
    assert [one.name for one in done.files] == [
        *("encoder.onnx", "decoder.onnx", "tokens.json", "model.json")
    ]
    assert all(one.is_file() for one in done.files)
    assert 0.0 <= done.latents_difference < 1e-4 and 0.0 <= done.logits_difference < 1e-4
    assert capsys.readouterr() == ("", "")
    (tmp_path / "answer.py").write_text(program_of_the_page(), encoding="utf-8")
    asked = [sys.executable, "answer.py", "onnx", str(image), QUESTION]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    answer, _, confidence = told.strip().rpartition(" ")
    expected = model.answer(image, QUESTION)
    assert answer == expected.answer
    assert float(confidence) == pytest.approx(expected.probability, abs=1e-4)
    with pytest.raises(latentvqa.OutputError, match=r"encoder\.onnx: is there already"):
        model.export(tmp_path / "onnx")
    assert model.export(str(tmp_path / "onnx"), overwrite=True) == done


def test_an_export_without_its_packages_is_refused_and_writes_nothing(model, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(latentvqa.ConfigError, match=r'pip install "latentvqa\[onnx\]"'):
        model.export(tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []
