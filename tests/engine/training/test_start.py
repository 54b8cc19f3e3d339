"""How a run begins: what a dry run says, and what a failed start leaves behind."""

import pytest

from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import dry_run, train
from latentvqa.errors import DataError
from tests.small_runs import (
    Recorder,
    small_config,
)


def test_a_dry_run_tells_the_plan_and_writes_nothing_but_scenes(tmp_path):
    recorder = Recorder()
    seconds = dry_run(small_config(), tmp_path, recorder)
    assert seconds > 0
    assert recorder.plans[0].effective_weight == pytest.approx(3.0)
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "images",
        "questions.csv",
        "scenes.json",
    }


def test_a_failed_start_leaves_no_folder(tmp_path):
    with pytest.raises(DataError):
        train(small_config("data.train=none.csv", "data.images=none"), tmp_path / "run", Observer())
    assert not (tmp_path / "run").exists()


def test_a_failed_start_leaves_other_files_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError):
        train(small_config("data.train=none.csv", "data.images=none"), tmp_path, Observer())
    assert (tmp_path / "thesis.txt").exists()
