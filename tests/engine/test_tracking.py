"""What is passed on, and what a tool that is missing or fails costs."""

import inspect
import shutil
import sys

import pytest

from latentvqa.engine.complete_run import complete_run
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.tracking import TrackingObserver
from latentvqa.errors import ConfigError
from tests.small_runs import BRIEF, Recorder, small_config
from tests.tracking.test_tensorboard import steps_of

LOGGED = 'run.log_to=["tensorboard"]'


def _longer(run, full):
    """The configuration of a run with more epochs, of which TensorBoard is told."""
    return read_config(run).replace("run", log_to=["tensorboard"]).replace("stages", full=full)


def test_everything_that_an_observer_hears_is_passed_on():
    heard = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction)}
    assert heard <= vars(TrackingObserver).keys() | {"__init__"}


def test_a_missing_package_is_told_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, "trackio", raising=False)
    with pytest.raises(ConfigError, match=r'pip install "latentvqa\[trackio\]"'):
        complete_run(tmp_path / "run", small_config('run.log_to=["trackio"]'), Observer())
    assert not (tmp_path / "run").exists()


def test_a_tool_that_fails_costs_one_notice_and_the_run_goes_on(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    (run / "tensorboard").write_text("no folder")
    recorder = Recorder()
    done = complete_run(run, _longer(run, 3), recorder, is_resumed=True)
    assert len(done.records) == 5
    assert [note.split(":")[1] for note in recorder.notices if "tensorboard" in note] == [
        " tensorboard is told no more of this run, which goes on"
    ]
    assert (run / "tensorboard").read_text() == "no folder"


@pytest.mark.heavy
def test_a_tool_that_is_named_on_the_way_is_told_all_epochs_and_a_new_run_begins_anew(tmp_path):
    run = tmp_path / "run"
    complete_run(run, small_config(*BRIEF), Observer())
    complete_run(run, _longer(run, 2), Observer(), is_resumed=True)
    assert steps_of(run, "val/kl_raw") == [0, 1, 2]
    assert steps_of(run, "verdict/level") == [2]
    complete_run(run, small_config(*BRIEF, LOGGED), Observer(), overwrite=True)
    assert steps_of(run, "val/kl_raw") == [0, 1]
