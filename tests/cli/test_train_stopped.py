"""Training under signals, kills and folders that cannot be written."""

import os
import random
import signal
import subprocess
import time

import pytest

from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume
from tests.small_runs import (
    TINY,
    assert_same_run,
    handles_signals,
    set_options,
    start_cli,
    wait_until,
)


def stopped(process, number, code, seconds=60):
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == code, err
    assert "Traceback" not in out + err
    return err


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_signal_saves_and_the_resumed_run_is_the_same(cli, here, finished, number, code, workers):
    process = start_cli(
        "train", *set_options(f"loader.workers={workers}"), "--out", here / "run", cwd=here
    )
    wait_until((here / "run" / "last").exists, process)
    err = stopped(process, number, code)
    assert "interrupted; saved. Continue with: latentvqa train --resume" in err
    assert load_checkpoint(here / "run" / "last").notes == ()
    done = cli("train", "--resume", here / "run")
    assert done.code == 0, done.err
    assert_same_run(here / "run", finished.run)


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_whole_group_saves_too(here, number, code):
    """As Ctrl-C in a terminal or a cluster's TERM: the workers get it as well."""
    long = ("loader.workers=2", "stages.full=500", "early_stopping.patience=500")
    process = start_cli("train", *set_options(*long), "--out", here / "run", cwd=here)
    wait_until((here / "run" / "last").exists, process)
    time.sleep(random.uniform(0.0, 2.0))
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in out + err and "interrupted; saved" in err
    assert load_checkpoint(here / "run" / "last").notes == ()


@pytest.mark.heavy
def test_a_signal_while_scenes_are_made_leaves_nothing(here):
    options = set_options("data.scene_images=20000")
    process = start_cli("train", *options, "--out", here / "run", cwd=here)
    wait_until((here / "run" / "data" / "images").exists, process)
    err = stopped(process, signal.SIGINT, 130)
    assert "interrupted before the first batch; nothing to save" in err
    assert not (here / "run").exists()


@pytest.mark.heavy
def test_a_dry_run_can_be_stopped(here):
    process = start_cli("train", *set_options("data.scene_images=20000"), "--dry-run", cwd=here)
    wait_until(lambda: handles_signals(process.pid), process)
    stopped(process, signal.SIGTERM, 143)
    assert list(here.iterdir()) == []


@pytest.mark.heavy
def test_a_second_ctrl_c_quits_at_once(here):
    # validation in one batch of many questions: long without a poll
    options = set_options("stages.full=500", "loader.evaluation_batch_size=100000")
    process = start_cli("train", *options, "--out", here / "run", cwd=here)
    wait_until((here / "run" / "last").exists, process)
    for _ in range(20):
        os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert load_checkpoint(here / "run" / "last").notes == ()


@pytest.mark.heavy
def test_a_kill_at_any_moment_leaves_a_loadable_last(here, finished):
    draws = random.Random(0)
    options = set_options("run.checkpoint_minutes=0.0001")
    process = start_cli("train", *options, "--out", here / "run", cwd=here)
    wait_until((here / "run" / "last").exists, process)
    for _ in range(3):
        time.sleep(draws.uniform(0.0, 0.4))
        process.kill()
        process.communicate()
        assert load_checkpoint(here / "run" / "last").notes == ()
        process = start_cli("train", "--resume", here / "run", cwd=here)
        log = here / "run" / "metrics.jsonl"
        known = log.read_bytes()
        # the resumed process is killed once it has written something
        wait_until(lambda: log.read_bytes() != known or process.poll() == 0, process)  # noqa: B023
    process.kill()
    process.communicate()
    assert load_checkpoint(here / "run" / "last").notes == ()
    resume(here / "run", None, Observer())
    assert_same_run(here / "run", finished.run)


@pytest.mark.heavy
def test_no_command_leaves_a_traceback_where_the_folder_is_read_only(cli, here, finished):
    if os.name != "posix":
        pytest.skip("there is no mount here")
    place = here / "fixed"
    place.mkdir()
    mount = ["mount", "--bind", str(finished.run), str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        for arguments in (
            ["evaluate", place],
            ["train", "--resume", place],
            ["train", *TINY, "--out", place / "below"],
            [
                "predict",
                place,
                place / "data" / "images",
                "--question",
                "q",
                "--out",
                place / "x.csv",
            ],
            ["data", "make-scenes", place / "scenes", "--images", "1"],
        ):
            done = cli(*arguments)  # which passes no traceback
            assert done.code == 1, arguments
            assert done.err.strip().splitlines()[-1].startswith("error: ")
            assert "Read-only file system" in done.err
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
