import subprocess
import sys

import pytest

from latentvqa.engine.runtime.file_lock import held_lock, is_locked


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
