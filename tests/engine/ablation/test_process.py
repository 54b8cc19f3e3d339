"""A run as a process of its own: real children, whose ends are read from what they write."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from latentvqa.config import config_to_toml
from latentvqa.engine.ablation.process import train_in_process
from latentvqa.engine.ablation.runs import Ending, RunPlace, read_ending, runnable
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.python_process import python_environment
from latentvqa.stopping import Interrupted, deferred, heard_signals, poll
from tests.small_runs import (
    BRIEF,
    processes_of,
    records_of,
    small_config,
    write_images,
    write_rows,
)

LONG = ("stages.full=40", "early_stopping.patience=100")


def place_of(root, *changes):
    place = RunPlace(0, "arm", 0, small_config(*BRIEF, *changes), root)
    place.folder.parent.mkdir(parents=True)
    place.config_file.write_text(config_to_toml(runnable(place)), encoding="utf-8")
    return place


def with_scenes(place, finished):
    """Its scenes, which an ablation makes before its runs."""
    config = runnable(place)
    shutil.copytree(finished.run / "data", config.data.train.parent)
    return place


def trained(place, on_epochs=lambda done, planned: None):
    with heard_signals(), deferred(), held_lock(place.lock_file, None, poll) as lock:
        return train_in_process(place, lock, on_epochs)


def test_a_process_trains_evaluates_and_writes_its_own_ending(finished, tmp_path, monkeypatch):
    place = with_scenes(place_of(tmp_path / "out"), finished)
    here = tmp_path / "here"
    here.mkdir()
    for name in ("random.py", "typing.py", "torch.py", "latentvqa.py"):
        (here / name).write_text('raise SystemExit("imported from the working folder")')
    monkeypatch.chdir(here)
    assert trained(place) == Ending(0)
    assert read_ending(place.ending_file) == Ending(0)
    assert place.state() == "finished"
    output = place.output_file.read_text("utf-8")
    assert output.count(f"run folder: {place.folder}") == 1
    assert "epoch 1/1  full" in output and "exact match" in output


def test_an_error_of_a_process_is_known_by_its_sentence_and_kind(finished, tmp_path):
    rows = write_rows(tmp_path / "t.csv", [("0.png", "q", "error: no"), ("0.png", "q", " ")])
    images = write_images(tmp_path / "images", 1)
    place = place_of(tmp_path / "out", f"data.train={rows}", f"data.images={images}")
    ending = trained(place)
    assert (ending.exit_code, ending.kind) == (1, "DataError")
    assert ending.message.startswith(f"{rows}: ")
    assert "row 3, column 'answer'" in ending.message
    assert f"error: {ending.message}" in place.output_file.read_text("utf-8")
    assert place.ending() == ending and place.state() == "failed"


def test_a_process_that_is_killed_leaves_its_signal(finished, tmp_path):
    place = with_scenes(place_of(tmp_path / "out", *LONG), finished)
    place.write_ending(Ending(0))  # of an earlier try, whose answers are gone

    def kill(done, planned):
        if done:
            for child in processes_of(place.folder):
                os.kill(child, signal.SIGKILL)

    ending = trained(place, kill)
    assert ending.exit_code == -9
    assert "ended by SIGKILL; memory may have run out" in ending.message


PARENT = """
import sys
from pathlib import Path
from latentvqa.config import load_config
from latentvqa.engine.ablation.process import train_in_process
from latentvqa.engine.ablation.runs import RunPlace
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.python_process import python_environment
from latentvqa.stopping import deferred, heard_signals, poll
place = RunPlace(0, "arm", 0, load_config(Path(sys.argv[2])), Path(sys.argv[1]))
with heard_signals(), deferred(), held_lock(place.lock_file, None, poll) as lock:
    train_in_process(place, lock, lambda done, planned: print(done, flush=True))
"""


def test_a_process_whose_parent_is_killed_saves_its_run_and_ends(finished, tmp_path):
    place = with_scenes(place_of(tmp_path / "out", *LONG), finished)
    config = tmp_path / "arm.toml"
    config.write_text(config_to_toml(place.config), encoding="utf-8")
    command = [sys.executable, "-c", PARENT, str(place.root), str(config)]
    with subprocess.Popen(command, env=python_environment(), stdout=subprocess.PIPE) as parent:
        while parent.stdout.readline() == b"0\n":
            pass
        parent.kill()
    with held_lock(place.lock_file, lambda holder: None, lambda: None):  # until the child has ended
        assert processes_of(place.folder) == []
    assert place.state() == "interrupted"
    assert place.output_file.read_text("utf-8").splitlines()[-1] == "interrupted; saved"
    assert load_checkpoint(place.folder / "last").notes == ()


@pytest.mark.heavy
def test_a_stopped_process_has_no_ending_and_goes_on_later(finished, tmp_path):
    place = with_scenes(place_of(tmp_path / "out", "stages.full=3"), finished)

    def stop(done, planned):
        assert planned == 4
        if done and not stopping:
            stopping.append(done)
            os.kill(os.getpid(), signal.SIGTERM)

    stopping = []
    with pytest.raises(Interrupted) as caught:
        trained(place, stop)
    assert caught.value.exit_code == 143
    assert place.ending() is None and place.state() == "interrupted"
    assert place.output_file.read_text("utf-8").splitlines()[-1] == "interrupted; saved"
    known = records_of(place.folder)
    assert trained(place) == Ending(0)
    assert records_of(place.folder)[: len(known)] == known
