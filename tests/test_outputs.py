import os
import stat
import subprocess
import sys
import threading

import pytest

from latentvqa.errors import OutputError
from latentvqa.outputs import NamedOutput
from tests.small_runs import small_disk


def output(path, *, overwrite=False):
    return NamedOutput("--out", path, overwrite)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_written_and_an_earlier_one_only_when_asked(tmp_path):
    path = tmp_path / "out.csv"
    output(path).require_writable()
    output(path).save(b"first")
    with pytest.raises(OutputError, match=r"--out .*out\.csv: is there already.*--overwrite"):
        output(path).require_writable()
    assert path.read_bytes() == b"first"
    output(path, overwrite=True).require_writable()
    output(path, overwrite=True).save(b"second")
    assert path.read_bytes() == b"second"
    assert names_in(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard", "through a folder"])
def test_an_input_is_never_written_not_even_when_asked(tmp_path, link):
    (tmp_path / "in").mkdir()
    known = tmp_path / "in" / "questions.csv"
    known.write_bytes(b"mine")
    path = tmp_path / "out.csv"
    if link == "itself":
        path = known.parent / ".." / "in" / known.name
    elif link == "symbolic":
        path.symlink_to(known)
    elif link == "hard":
        path.hardlink_to(known)
    else:
        (tmp_path / "other").symlink_to(tmp_path / "in")
        path = tmp_path / "other" / known.name
    with pytest.raises(OutputError, match="which the same command needs"):
        output(path, overwrite=True).require_writable([tmp_path / "absent", known])
    assert known.read_bytes() == b"mine"


def test_two_outputs_of_one_name_are_told_apart_before_they_are_there(tmp_path):
    with pytest.raises(OutputError, match="which the same command needs"):
        output(tmp_path / "a.svg").require_writable([tmp_path / "b" / ".." / "a.svg"])


def test_a_folder_and_a_place_that_is_not_there_are_told_before_the_work(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        output(tmp_path, overwrite=True).require_writable()
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        output(tmp_path / "none" / "out.csv").require_writable()
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match=r"cannot be written: .*symbolic links"):
        output(tmp_path / "a").require_writable()


def test_a_file_that_came_into_being_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "out.csv"
    output(path).require_writable()
    path.write_bytes(b"of another job")
    with pytest.raises(OutputError, match="came into being meanwhile"):
        output(path).save(b"ours")
    assert path.read_bytes() == b"of another job"


def test_work_that_stops_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "out.csv"
    path.write_bytes(b"earlier")
    with pytest.raises(KeyboardInterrupt), output(path, overwrite=True).draft() as draft:
        draft.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"earlier" and names_in(tmp_path) == ["out.csv"]


def test_a_full_disk_is_named_and_leaves_the_earlier_file(tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        path = disk / "out.csv"
        path.write_bytes(b"earlier")
        with pytest.raises(OutputError, match=r"--out .*: cannot be written: No space left"):
            output(path, overwrite=True).save(b"x" * 100_000)
        assert path.read_bytes() == b"earlier" and names_in(disk) == ["out.csv"]


def test_a_fault_of_another_file_keeps_its_own_words(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), output(tmp_path / "out").draft():
        (tmp_path / "absent").read_bytes()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_keeps_standing_and_its_target_is_replaced(tmp_path, is_there):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if is_there:
        (folder / "target").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target")
    NamedOutput("--out", link, overwrite=True).save(b"new")
    assert link.is_symlink()
    assert (folder / "target").read_bytes() == b"new"
    assert not (folder / "target").is_symlink()


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    output(path).require_writable()
    output(path).save(b"new")
    reader.join(timeout=10)
    assert got == [b"new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("is_piped", [True, False])
def test_stdout_by_its_name_takes_the_content_where_it_stands(tmp_path, name, is_piped):
    code = f"""if True:
        from pathlib import Path
        from latentvqa.outputs import NamedOutput
        print("before", flush=True)
        NamedOutput("--out", Path({name!r})).save(b"new\\n")
        print("after")
    """
    path = tmp_path / "out"
    with path.open("wb") as file:
        pipe = subprocess.PIPE if is_piped else file
        done = subprocess.run([sys.executable, "-c", code], stdout=pipe, check=True)
    told = done.stdout if is_piped else path.read_bytes()
    assert told == b"before\nnew\nafter\n"
