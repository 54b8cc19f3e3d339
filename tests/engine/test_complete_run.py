"""One call from configuration to report, and what an interruption leaves of it."""

import os
import signal

import pytest

from latentvqa.engine.complete_run import complete_run
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import CheckpointError
from tests.small_runs import (
    BRIEF,
    Interrupter,
    Recorder,
    interrupted,
    small_config,
    write_images,
    write_rows,
)


def test_a_run_that_is_stopped_before_its_first_epoch_leaves_nothing(tmp_path):
    folder = tmp_path / "run"
    with interrupted() as caught:
        complete_run(folder, small_config(*BRIEF), Interrupter("scenes", 1))
    assert caught.value.exit_code == 130
    assert not folder.exists()


def test_a_stop_in_the_evaluation_is_made_good_by_resuming(tmp_path):
    folder = tmp_path / "run"
    with interrupted() as caught:
        complete_run(folder, small_config(*BRIEF), Interrupter("questions", 1, signal.SIGTERM))
    assert caught.value.exit_code == 143
    assert (folder / "report.html").is_file() and not (folder / "evaluations").exists()
    run = complete_run(folder, None, Observer(), is_resumed=True)
    assert len(run.records) == 2 and run.folder == folder
    assert (folder / "evaluations" / "validation" / "predictions.csv").is_file()


def test_a_folder_below_which_no_weights_could_be_read_is_refused_before_the_work(tmp_path):
    recorder = Recorder()
    folder = tmp_path / os.fsdecode(b"bad\xff")
    with pytest.raises(CheckpointError, match="no text in UTF-8"):
        complete_run(folder, small_config(*BRIEF), recorder)
    assert recorder.notices == [] and not folder.exists()


def test_a_backbone_without_weights_is_remarked_on_for_photographs_alone(tmp_path):
    table = write_rows(tmp_path / "t.csv", [("0.png", "what?", " ")])
    images = write_images(tmp_path / "images", 1)
    photographs = small_config(f"data.train={table}", f"data.images={images}")
    config = photographs.replace("data", scenes=None)
    recorder = Recorder()
    with pytest.raises(Exception, match="row 2, column 'answer'"):
        complete_run(tmp_path / "run", config, recorder)
    assert any("trained from scratch" in notice for notice in recorder.notices)
    blind = config.replace("vision", blind=True)
    recorder = Recorder()
    with pytest.raises(Exception, match="row 2, column 'answer'"):
        complete_run(tmp_path / "run", blind, recorder)
    assert not any("trained from scratch" in notice for notice in recorder.notices)


def test_a_new_run_needs_a_configuration_and_a_resumed_one_a_run(tmp_path):
    with pytest.raises(ValueError, match="needs a configuration"):
        complete_run(tmp_path / "run", None, Observer())
    with pytest.raises(CheckpointError, match=r"no config\.toml"):
        complete_run(tmp_path, None, Observer(), is_resumed=True)
