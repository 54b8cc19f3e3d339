"""The package as Python code uses it: tiny runs, really trained."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

import latentvqa
from latentvqa.engine.prediction.predict import predict
from latentvqa.engine.runs.loading import load_model
from latentvqa.history import read_history
from tests.small_runs import (
    BRIEF,
    Interrupter,
    assert_same_run,
    read_csv,
    records_of,
    small_config,
    small_overrides,
)

QUESTION = "what shape is the red object?"


class Events(latentvqa.Observer):
    """The order of what an observer receives."""

    def __init__(self):
        self.names, self.notices = [], []

    def notice(self, text):
        self.notices.append(text)

    def planned(self, plan):
        self.names.append("planned")

    def epoch(self, header, records, diagnosis):
        self.names.append("epoch")

    def trained(self, header, records, diagnosis):
        self.names.append("trained")

    def evaluated(self, evaluation):
        self.names.append("evaluated")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run trained with nobody watching; nobody may change it."""
    folder = tmp_path_factory.mktemp("library") / "first"
    return latentvqa.train(small_config(*BRIEF), out=folder)


@pytest.fixture(scope="module")
def model(run):
    return latentvqa.load(run)


@pytest.fixture(scope="module")
def image(run):
    return sorted((run.folder / "data" / "images").iterdir())[0]


def test_training_needs_no_observer_and_does_all_that_the_command_does(run):
    names = {entry.name for entry in run.folder.iterdir()}
    assert {"best", "last", "report.html", "curves.png", "evaluations", "split.csv"} <= names
    assert "validation questions right" in (run.folder / "report.html").read_text("utf-8")
    assert [record.epoch for record in run.records] == [0, 1]
    assert not run.is_stopped_early
    validation = run.folder / "evaluations" / "validation"
    written = json.loads((validation / "evaluation.json").read_text())
    value = run.evaluation.result.metrics["exact_match"].value
    assert written["metrics"]["exact_match"]["value"] == pytest.approx(value)
    assert written["latent_use"] is not None
    assert load_model(run.folder).logit_temperature is not None
    assert len(read_csv(validation / "predictions.csv")) == written["questions"]


def test_a_run_from_python_is_the_run_of_the_command(run, tmp_path):
    path = tmp_path / "small.toml"
    shutil.copy(run.folder / "config.toml", path)
    events = Events()
    again = latentvqa.train(str(path), out=str(tmp_path / "again"), observer=events)
    assert_same_run(again.folder, run.folder)
    assert events.names == ["planned", "epoch", "epoch", "trained", "evaluated"]
    assert f"run folder: {again.folder}" in events.notices


def test_a_preset_is_named_first_or_by_keyword(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    changes = small_overrides(*BRIEF, "stages.full=0")
    first = latentvqa.train("quickstart", overrides=changes)
    assert first.folder.as_posix() == "runs/quickstart"
    with pytest.raises(latentvqa.CheckpointError, match="not empty"):
        latentvqa.train(preset="quickstart", out="runs/quickstart", overrides=changes)
    second = latentvqa.train(
        preset="quickstart", out="runs/quickstart", overrides=changes, overwrite=True
    )
    assert records_of(second.folder) == [
        json.loads(json.dumps(record)) for record in records_of(first.folder)
    ]


def test_ctrl_c_is_a_keyboard_interrupt_after_the_run_was_saved_and_resume_ends_it(run, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        latentvqa.train(small_config(*BRIEF), out=folder, observer=Interrupter("epoch 1", 2))
    assert (folder / "report.html").is_file() and not (folder / "evaluations").exists()
    done = latentvqa.resume(folder)
    assert_same_run(folder, run.folder)
    assert done.evaluation.result.metrics == run.evaluation.result.metrics


def test_a_terminated_evaluation_is_an_exit_and_a_run_can_be_extended(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    with pytest.raises(SystemExit) as leaving:
        latentvqa.evaluate(folder, observer=Interrupter("questions", 1, signal.SIGTERM))
    assert leaving.value.code == 143
    assert len(latentvqa.resume(folder, overrides=["stages.full=2"]).records) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"config": "quickstrat"}, "quickstrat: no such file"),
        ({"preset": "quickstrat"}, "Did you mean quickstart?"),
        ({"overwrite": True}, "name that folder"),
        ({"config": small_config(), "overrides": ["kl.factor=1"]}, "a Config is complete"),
        ({"config": latentvqa.Config()}, "data.train is missing"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_written(
    arguments, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(latentvqa.ConfigError) as refused:
        latentvqa.train(**arguments)
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


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
        (Image.new("F", (4, 4)), "floating-point pixels"),
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


def test_an_evaluation_is_returned_and_written(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    found = latentvqa.evaluate(folder)
    assert found.result.metrics == run.evaluation.result.metrics
    data = run.folder / "data"
    table = tmp_path / "mine.csv"
    table.write_text((data / "questions.csv").read_text().replace("image,", "picture,", 1))
    columns = {"image": "picture"}
    other = latentvqa.evaluate(folder, table, data / "images", columns=columns, latent_use=True)
    assert other.result.latent_use is not None
    assert len(other.answers) == len(read_csv(table))
    assert (folder / "evaluations" / "mine" / "evaluation.json").is_file()
    with pytest.raises(latentvqa.ConfigError, match="belong to a table"):
        latentvqa.evaluate(folder, images=data)


def test_a_diagnosis_of_a_folder_a_log_or_its_epochs_is_that_of_the_run(run):
    history = latentvqa.read_log(run.folder)
    assert history.records == read_history(run.folder).records
    expected = run.diagnosis
    for found in (
        latentvqa.diagnose(run.folder),
        latentvqa.diagnose(str(run.folder / "metrics.jsonl")),
        latentvqa.diagnose(history),
        latentvqa.diagnose(run.records, header=run.header),
    ):
        assert (found.verdict, found.findings) == (expected.verdict, expected.findings)
    assumed = latentvqa.diagnose(run.records)
    assert any("Assumed" in note for note in assumed.notes)
    with pytest.raises(latentvqa.HistoryError):
        latentvqa.diagnose(run.folder / "absent")
    for call in (latentvqa.diagnose, latentvqa.read_log):
        with pytest.raises(latentvqa.ConfigError, match="kl_health"):
            call(run.folder, overrides=["kl_health.nonsense=1"])


def test_a_configuration_is_read_from_text_paths_too(run):
    config = latentvqa.load_config(os.fspath(run.folder / "config.toml"))
    assert config.latent.dims == 16
    changed = latentvqa.load_config(preset="quickstart", overrides=["latent.dims=8"])
    assert changed.latent.dims == 8
