import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from latentvqa.core.summed_text import with_sum
from latentvqa.errors import CheckpointError
from latentvqa.sums import (
    DamagedFileError,
    DamagedSumsError,
    NewerFormatError,
    damaged_files,
    read_summed,
    read_sums,
    replace_summed,
    restore,
    sums_content,
)
from tests.small_runs import small_disk


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "answers.json"
    replace_summed({path: b"old"})
    replace_summed({path: b"new"})
    return path


def test_what_was_written_is_read(file):
    assert read_summed(file, "") == b"new"
    assert damaged_files(file.parent) == []
    assert sorted(path.name for path in file.parent.iterdir()) == ["answers.json", "sums.json"]


def test_another_content_is_refused_with_the_file_and_what_to_do(file):
    file.write_bytes(b"bad")
    with pytest.raises(DamagedFileError) as caught:
        read_summed(file, "Make it anew.")
    assert str(caught.value) == (
        f"{file} is damaged: its SHA-256 is not the one in sums.json. Make it anew."
    )
    assert damaged_files(file.parent) == [file]


def test_a_file_without_a_sum_is_taken_as_it_is(tmp_path):
    (tmp_path / "split.csv").write_bytes(b"of an earlier version")
    assert read_summed(tmp_path / "split.csv", "") == b"of an earlier version"
    replace_summed({tmp_path / "best": b"0001-00000001\n"})
    assert read_summed(tmp_path / "split.csv", "") == b"of an earlier version"
    assert damaged_files(tmp_path) == []


def test_sums_that_were_changed_vouch_for_nothing(file):
    sums = file.parent / "sums.json"
    whole = sums.read_bytes()
    for place in range(len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        sums.write_bytes(damaged)
        with pytest.raises(DamagedSumsError, match="Put back"):
            read_summed(file, "")
    for cut in range(len(whole) - 1):
        sums.write_bytes(whole[:cut])
        with pytest.raises(DamagedSumsError):
            read_sums(file.parent)
        with pytest.raises(DamagedSumsError):
            replace_summed({file: b"other"})
    assert file.read_bytes() == b"new"


def test_names_and_sums_alone_are_those_of_an_earlier_version(tmp_path):
    (tmp_path / "sums.json").write_text(json.dumps({"model.json": "ab"}, indent=1))
    assert read_sums(tmp_path) == {"model.json": ("ab",)}


def test_sums_of_a_newer_version_are_refused(file):
    held = json.dumps({"schema": 2, "files": {}}).encode()
    (file.parent / "sums.json").write_bytes(with_sum(held))
    with pytest.raises(NewerFormatError, match=r"format 2; this one reads up to 1"):
        read_summed(file, "")


KILLED = """if True:
    import os, pathlib, signal, sys
    from latentvqa import sums
    real, left = pathlib.Path.replace, [int(sys.argv[2])]
    def replace(self, target):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(self, target)
    pathlib.Path.replace = replace
    folder = pathlib.Path(sys.argv[1])
    sums.replace_summed({folder / "answers.json": b"newest", folder / "best": b"b"})
"""


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_kill_between_two_files_leaves_each_old_or_new_and_known(file, renamed):
    command = [sys.executable, "-c", KILLED, str(file.parent), str(renamed)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert read_summed(file, "") == (b"newest" if renamed == 2 else b"new")
    assert not (file.parent / "best").exists() and damaged_files(file.parent) == []
    replace_summed({file: b"later"})  # and so does a kill after a kill
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert read_summed(file, "") in (b"later", b"newest")


def test_a_damaged_file_is_not_vouched_for_by_its_next_writer(file):
    file.write_bytes(b"bad")
    command = [sys.executable, "-c", KILLED, str(file.parent), "1"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert file.read_bytes() == b"bad" and damaged_files(file.parent) == [file]


def test_a_reader_never_takes_what_is_being_replaced_for_damaged(file):
    is_over = threading.Event()

    def write():
        for number in range(30):
            replace_summed({file: b"%d" % number})
        is_over.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not is_over.is_set():
            read_summed(file, "")
    finally:
        writer.join()
    assert read_summed(file, "") == b"29"


def test_a_full_disk_leaves_all_as_it_was(tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        small, large = disk / "small", disk / "large"
        replace_summed({small: b"small"})
        known = {path: path.read_bytes() for path in disk.iterdir()}
        with pytest.raises(OSError, match="No space left") as caught:
            replace_summed({small: b"other", large: bytes(100_000)})
        assert caught.value.filename == str(large)
        assert {path: path.read_bytes() for path in disk.iterdir()} == known


def test_no_link_is_written_through(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"theirs")
    run = tmp_path / "run"
    run.mkdir()
    for name in ("answers.json", "split.csv"):
        (run / name).symlink_to(theirs)
    replace_summed({run / "answers.json": b"ours", run / "split.csv": b"ours"})
    assert theirs.read_bytes() == b"theirs"
    assert not any(path.is_symlink() for path in run.iterdir())


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(file):
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(OSError, match="is a pipe"):
        read_summed(file, "")
    assert damaged_files(file.parent) == [file]


def test_content_made_anew_is_taken_only_if_it_is_what_stood_there(file):
    file.write_bytes(b"bad")
    assert not restore(file, b"newer") and file.read_bytes() == b"bad"
    assert restore(file, b"new") and read_summed(file, "") == b"new"


def test_the_sums_of_a_folder_are_one_object_of_json():
    held = json.loads(sums_content({"a": ("1", "2"), "b": ("3",)}))
    assert held["files"] == {"a": ["1", "2"], "b": ["3"]} and held["schema"] == 1


def test_each_refusal_is_one_that_commands_tell_in_a_sentence():
    for kind in (DamagedFileError, DamagedSumsError, NewerFormatError):
        assert issubclass(kind, CheckpointError)
