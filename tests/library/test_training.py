"""``latentvqa.train`` and ``latentvqa.resume``: tiny runs, really trained."""

import json

import pytest

import latentvqa
from latentvqa.engine.runs.loading import load_model
from tests.small_runs import (
    BRIEF,
    Interrupter,
    assert_same_run,
    read_csv,
    records_of,
    small_config,
    small_overrides,
)


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

    def trained(self, header, records):
        self.names.append("trained")

    def evaluated(self, evaluation):
        self.names.append("evaluated")

    def judged(self, diagnosis):
        self.names.append("judged")


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
    path = run.folder / "config.toml"
    events = Events()
    again = latentvqa.train(str(path), out=str(tmp_path / "again"), observer=events)
    assert_same_run(again.folder, run.folder)
    assert events.names == ["planned", "epoch", "epoch", "trained", "evaluated", "judged"]
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
