"""Training under signals, kills and folders that cannot be written."""

import os
import pty
import shlex
import signal
import subprocess

import pytest

from latentvqa.engine.runs.checkpoint import load_checkpoint
from tests.small_runs import (
    ROOT,
    TINY,
    handles_signals,
    interruptible,
    records_of,
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
def test_a_closed_terminal_is_a_signal_and_saves(here):
    leader, follower = pty.openpty()
    command = interruptible("train", *set_options("stages.full=500"), "--out", here / "run")
    process = subprocess.Popen(
        ["setsid", "--ctty", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    while not (here / "run" / "last").exists():  # somebody reads what is shown
        os.read(leader, 65536)
    os.close(leader)
    assert process.wait(120) == 129
    assert load_checkpoint(here / "run" / "last").notes == ()


@pytest.mark.heavy
def test_a_run_whose_output_nobody_reads_comes_to_its_end(here):
    reading, writing = os.pipe()
    process = subprocess.Popen(
        interruptible("train", *TINY, "--out", here / "run"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    assert process.wait(300) == 1  # as of any program that could not say its result
    assert len(records_of(here / "run")) == 2
    assert (here / "run" / "report.html").is_file()


@pytest.mark.heavy
def test_loader_processes_need_no_shared_memory(here):
    options = shlex.join([*TINY, "--set", "loader.workers=2", "--set", "loader.cache_mib=0"])
    program = f"{shlex.join(interruptible('train'))} {options} --out {here / 'run'}"
    small = "mount -t tmpfs -o size=4k tmpfs /dev/shm && head -c 4096 /dev/zero > /dev/shm/full"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{small} || exit 77; {program}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("mounting is not permitted here")
    assert done.returncode == 0, done.stderr
    assert len(records_of(here / "run")) == 2


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
        shown = cli("evaluate", place)  # the result is worth more than its files
        assert shown.code == 0 and "exact match" in shown.out
        assert "Read-only file system" in shown.err
        for arguments in (
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
