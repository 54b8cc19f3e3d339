"""Real disks that are full: one sentence, and what was there before is whole."""

import os
import shutil
import subprocess

import pytest

from latentvqa.engine.runs.checkpoint import load_checkpoint
from tests.cli.conftest import cli, here
from tests.faults.trials import left_half_written
from tests.small_runs import TINY, finished, records_of, small_disk

__all__ = ["cli", "finished", "here"]

pytestmark = pytest.mark.heavy
SAVES = ["--set", "run.checkpoint_minutes=0.00001"]


def told(done, *, words="No space left on device"):
    """The one sentence of a command that could not write; None where it could."""
    if done.code == 0:
        return None
    assert done.code == 1, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0], done.err
    return errors[0]


# in KiB: no room for the log, for the first checkpoint, for the third beside two
@pytest.mark.parametrize("size", [140, 1_200, 5_500])
def test_a_run_on_a_full_disk_keeps_its_checkpoints_and_goes_on_when_there_is_room(cli, here, size):
    with small_disk(here / "disk", f"{size}k") as disk:
        run = disk / "run"
        sentence = told(cli("train", *TINY, *SAVES, "--out", run))
        assert sentence is not None and str(disk) in sentence
        assert left_half_written(disk) == []
        was_saved = (run / "last").exists()
        assert was_saved == (size > 2_500)
        if was_saved:
            assert load_checkpoint(run / "last").notes == ()
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        if was_saved:
            done = cli("train", "--resume", run)
        else:
            shutil.rmtree(run, ignore_errors=True)
            done = cli("train", *TINY, "--out", run)
        assert done.code == 0, done.err
        assert len(records_of(run)) == 2
        print(f"{size} KiB: {sentence}")


def fill(disk, left):
    """Leave so many KiB."""
    free = os.statvfs(disk)
    room = free.f_bavail * free.f_frsize - left * 1024
    (disk / "filler").write_bytes(bytes(max(0, room)))


@pytest.mark.parametrize("left", [0, 60])
def test_results_on_a_full_disk_are_whole_or_as_they_were(cli, here, finished, left):
    with small_disk(here / "disk", "30m") as disk:
        run = shutil.copytree(finished.run, disk / "run")
        images = run / "data" / "images"
        assert cli("evaluate", run).code == cli("report", run).code == 0
        known = contents(run)
        fill(disk, left)
        commands = {
            "evaluate": ["evaluate", run],
            "report": ["report", run],
            "predict": ["predict", run, images, "--question", "q?", "--out", disk / "a.csv"],
        }
        for name, command in commands.items():
            sentence = told(cli(*command))
            assert sentence is None or str(disk) in sentence
            assert contents(run) == known
            print(f"{name}, {left} KiB left: {sentence or 'written'}")
        assert left_half_written(run) == []
        assert load_checkpoint(run / "best").notes == ()


def contents(run):
    """Results that come out the same each time."""
    files = [*(run / "evaluations").rglob("*.*"), run / "metrics.jsonl", run / "config.toml"]
    assert (run / "report.html").read_text().rstrip().endswith("</html>")
    return {path: path.read_bytes() for path in files}
