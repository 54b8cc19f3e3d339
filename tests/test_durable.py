import os
import stat
import subprocess
import sys
import threading

import pytest

from latentvqa.durable import replace_file


def test_a_file_is_replaced_whole_and_nothing_stays_beside_it(tmp_path):
    path = tmp_path / "out.json"
    path.write_bytes(b"a longer old text")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_keeps_standing_and_its_target_is_replaced(tmp_path, is_there):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if is_there:
        (folder / "target").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target")
    replace_file(link, b"new")
    assert link.is_symlink()
    assert (folder / "target").read_bytes() == b"new"
    assert not (folder / "target").is_symlink()


def test_a_loop_of_links_is_an_error_of_the_file_system(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        replace_file(tmp_path / "a", b"new")


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    replace_file(path, b"new")
    reader.join(timeout=10)
    assert got == [b"new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("is_piped", [True, False])
def test_stdout_by_its_name_takes_the_content_where_it_stands(tmp_path, name, is_piped):
    code = f"""if True:
        from pathlib import Path
        from latentvqa.durable import replace_file
        print("before", flush=True)
        replace_file(Path({name!r}), b"new\\n")
        print("after")
    """
    path = tmp_path / "out"
    with path.open("wb") as file:
        pipe = subprocess.PIPE if is_piped else file
        done = subprocess.run([sys.executable, "-c", code], stdout=pipe, check=True)
    told = done.stdout if is_piped else path.read_bytes()
    assert told == b"before\nnew\nafter\n"
