import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from latentvqa.engine.runtime.file_lock import LockedError, held_lock, is_locked, sole_lock
from latentvqa.errors import CheckpointError


class StopError(Exception):
    pass


def no_wait():
    raise AssertionError("nobody holds it")


def test_a_lock_is_held_inside_and_free_outside(tmp_path):
    path = tmp_path / "run.lock"
    assert not is_locked(path)
    assert not path.exists()
    with held_lock(path, None, no_wait) as descriptor:
        assert descriptor is not None
        assert is_locked(path)
    assert not is_locked(path)


def test_who_does_not_wait_gets_none(tmp_path):
    path = tmp_path / "run.lock"
    with held_lock(path, None, no_wait), held_lock(path, None, no_wait) as second:
        assert second is None


def test_who_waits_hears_once_who_holds_it_and_may_stop(tmp_path):
    path, told, polls = tmp_path / "run.lock", [], []

    def poll():
        polls.append(1)
        if len(polls) == 3:
            raise StopError

    with (
        held_lock(path, None, no_wait),
        pytest.raises(StopError),
        held_lock(path, told.append, poll),
    ):
        raise AssertionError("the lock was free")
    assert len(told) == 1
    assert told[0].startswith("process ")


def test_a_process_that_inherited_the_lock_holds_it_until_it_ends(tmp_path):
    path = tmp_path / "run.lock"
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with held_lock(path, None, no_wait) as descriptor:
        child = subprocess.Popen(waiting, stdin=subprocess.PIPE, pass_fds=(descriptor,))
    assert is_locked(path)
    child.communicate()
    assert not is_locked(path)


def test_who_holds_a_lock_is_named_with_host_command_and_time(tmp_path):
    path = tmp_path / "run.lock"
    with sole_lock(path):
        with pytest.raises(LockedError) as refused, sole_lock(path):
            raise AssertionError("the lock was free")
        told = str(refused.value)
    assert told.startswith(f"process {os.getpid()} on {socket.gethostname()} since 20")
    assert Path(sys.argv[0]).name in told


def test_a_sole_lock_leaves_no_file_and_never_two_holders(tmp_path):
    code = (
        "import pathlib, sys, time\n"
        "from latentvqa.engine.runtime.file_lock import LockedError, sole_lock\n"
        "held, path = 0, pathlib.Path(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "end = time.monotonic() + 1\n"
        "while time.monotonic() < end:\n"
        "    try:\n"
        "        with sole_lock(path):\n"
        "            path.with_name('alone').mkdir(); path.with_name('alone').rmdir(); held += 1\n"
        "    except LockedError: pass\n"
        "print(held)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen(command, **pipes) for _ in range(3)]
    assert [job.stdout.readline() for job in jobs] == ["ready\n"] * 3
    found = [job.communicate("go\n")[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert sum(map(int, found)) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_does_not_hold_a_sole_lock(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import os, pathlib, sys, time\n"
        "from latentvqa.engine.runtime.file_lock import sole_lock\n"
        "with sole_lock(pathlib.Path(sys.argv[1])) as lock:\n"
        "    lock.add(' and more')\n"
        "    child = os.fork()\n"
        "    if not child: print(os.getpid(), flush=True)\n"  # once it has let go
        "    time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        child = int(holder.stdout.readline())
        try:
            assert is_locked(path)
            holder.kill()
            holder.wait()
            with sole_lock(path) as lock:
                assert lock.left.startswith(f"process {holder.pid} ")
                assert lock.left.endswith(" and more")
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("planted", ["link", "dangling link", "pipe"])
def test_what_is_planted_in_the_place_of_a_lock_is_refused_and_not_written(tmp_path, planted):
    path, foreign = tmp_path / "lock", tmp_path / "foreign"
    if planted == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(foreign)
    if planted == "link":
        foreign.write_text("theirs")
    for lock in (lambda: sole_lock(path), lambda: held_lock(path, None, no_wait)):
        with pytest.raises(CheckpointError, match="remove it"), lock():
            raise AssertionError("it was taken")
    assert not foreign.exists() or foreign.read_text() == "theirs"


def test_a_lock_dies_with_a_killed_process(tmp_path):
    path = tmp_path / "run.lock"
    code = (
        "import pathlib, sys, time\n"
        "from latentvqa.engine.runtime.file_lock import held_lock\n"
        "with held_lock(pathlib.Path(sys.argv[1]), None, lambda: None):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        holder.kill()
    with held_lock(path, None, no_wait) as descriptor:
        assert descriptor is not None
