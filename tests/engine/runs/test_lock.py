"""One writer a run folder, and what weakens the hold."""

import os

import pytest

from latentvqa.durable import unfinished_name
from latentvqa.engine.runs.folder import new_run_folder
from latentvqa.engine.runs.lock import sole_writer, writer_if_possible
from latentvqa.errors import CheckpointError
from tests.small_runs import held_elsewhere, read_only


def unheard(text):
    raise AssertionError(text)


def test_a_second_writer_is_refused_and_told_who_is_first(tmp_path):
    with held_elsewhere(tmp_path) as holder:
        for hold in (sole_writer, writer_if_possible):
            with pytest.raises(CheckpointError) as refused, hold(tmp_path, unheard):
                raise AssertionError("it was free")
            assert f"is in use by process {holder.pid} on " in str(refused.value)
    with sole_writer(tmp_path, unheard) as lock:
        assert lock is not None and lock.left == ""
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_what_it_wrote_down_and_no_hold(tmp_path):
    with held_elsewhere(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with sole_writer(tmp_path, unheard) as lock:
            assert lock.left.startswith(f"process {holder.pid} ")


def test_what_a_kill_left_unfinished_is_removed_from_a_run_alone(tmp_path):
    stray = unfinished_name(tmp_path / "best")
    mine = tmp_path / ".mine.tmp"
    for path in (stray, mine):
        path.touch()
    with sole_writer(tmp_path, unheard):
        assert stray.exists()  # no run yet: nothing here is known to be its own
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "evaluations" / "table").mkdir(parents=True)
    other = unfinished_name(tmp_path / "evaluations" / "table" / "predictions.csv")
    other.touch()
    with sole_writer(tmp_path, unheard):
        assert not stray.exists() and not other.exists() and mine.exists()


def test_a_folder_that_cannot_be_written_is_refused_or_remarked_on(tmp_path):
    told = []
    with read_only(tmp_path):
        with pytest.raises(CheckpointError, match="cannot be written: Read-only file system"):
            sole_writer(tmp_path, unheard).__enter__()
        with writer_if_possible(tmp_path, told.append) as is_writable:
            assert not is_writable
    assert told == [
        f"warning: {tmp_path}: cannot be written: Read-only file system: what is found is shown "
        "and not saved"
    ]


@pytest.mark.parametrize("mode", [0o755, 0o775, 0o1777])
def test_a_folder_that_not_everybody_may_change_is_used_without_a_word(tmp_path, mode):
    os.chmod(tmp_path, mode)  # noqa: PTH101 - sets the sticky bit too
    with sole_writer(tmp_path, unheard):
        pass


def test_a_folder_that_everybody_may_change_is_refused_and_never_saved_into(tmp_path):
    tmp_path.chmod(0o777)
    with (
        pytest.raises(CheckpointError, match=r"may replace what is in it; chmod o-w"),
        sole_writer(tmp_path, unheard),
    ):
        raise AssertionError("it was taken")
    told = []
    with writer_if_possible(tmp_path, told.append) as is_writable:
        assert not is_writable
    assert len(told) == 1 and told[0].endswith("what is found is shown and not saved")
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_is_not_open_to_everybody_whatever_the_umask(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    former = os.umask(0)
    try:
        for folder in (new_run_folder("mine", None), new_run_folder("", tmp_path / "named")):
            with sole_writer(folder, unheard):
                pass
    finally:
        os.umask(former)
