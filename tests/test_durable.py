import os
import signal
import stat
import subprocess
import sys

import pytest

from latentvqa import durable
from latentvqa.durable import create_file, replace_file, replacing, unfinished_name


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_nothing_stays_beside_it(tmp_path):
    path = tmp_path / "out.json"
    path.write_bytes(b"a longer old text")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_what_it_leads_to_is_left(tmp_path):
    (tmp_path / "foreign").write_bytes(b"theirs")
    (tmp_path / "best").symlink_to("foreign")
    replace_file(tmp_path / "best", b"ours")
    assert (tmp_path / "foreign").read_bytes() == b"theirs"
    assert not (tmp_path / "best").is_symlink() and (tmp_path / "best").read_bytes() == b"ours"


def test_work_that_stops_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["out.json"]


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_who_may_read_a_file_is_what_the_umask_says(tmp_path, mask):
    known = os.umask(mask)
    try:
        replace_file(tmp_path / "file", b"")
    finally:
        os.umask(known)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


def test_no_link_is_written_through_wherever_it_leads(tmp_path):
    (tmp_path / "theirs").write_bytes(b"theirs")
    for name, target in (("there", "theirs"), ("nowhere", "new")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(FileExistsError):
            create_file(tmp_path / name)
    assert (tmp_path / "theirs").read_bytes() == b"theirs" and not (tmp_path / "new").exists()


def test_unfinished_names_cannot_be_foretold_and_fit_where_the_name_fits(tmp_path):
    path = tmp_path / ("é" * 127)
    names = {unfinished_name(path) for _ in range(100)}
    assert len(names) == 100
    replace_file(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_added_through_a_link(tmp_path):
    with durable.append_file(tmp_path / "log") as file:
        file.write(b"one")
    with durable.append_file(tmp_path / "log") as file:
        file.write(b"two")
        file.seek(0)
        assert file.read() == b"onetwo"
    (tmp_path / "link").symlink_to("log")
    with pytest.raises(OSError, match="is a link, and nothing is written through one"):
        durable.append_file(tmp_path / "link")
    assert (tmp_path / "log").read_bytes() == b"onetwo"


def test_a_kill_leaves_nothing_of_a_file_that_was_being_written(tmp_path):
    code = (
        "import os, pathlib, signal, sys\n"
        "from latentvqa.durable import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1]) / 'file') as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("every file has a name here")
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_where_every_file_has_a_name_all_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("latentvqa.durable._nameless", lambda folder: None)
    (tmp_path / "file").write_bytes(b"old")
    replace_file(tmp_path / "file", b"new")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "file") as file:
        assert len(names_in(tmp_path)) == 2
        file.write(b"half")
        raise KeyboardInterrupt
    assert names_in(tmp_path) == ["file"] and (tmp_path / "file").read_bytes() == b"new"


def test_an_error_of_the_system_that_names_no_place_is_given_one(tmp_path):
    with (
        pytest.raises(OSError, match=f"No space left on device: '{tmp_path}'"),
        durable.naming(tmp_path),
        open("/dev/full", "w") as full,  # noqa: PTH123
    ):
        full.write("lost")
