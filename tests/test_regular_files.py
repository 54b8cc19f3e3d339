"""Reading what a user names, and that all of the package does it so."""

import ast
import os
import socket
import sys
import warnings
from itertools import count
from pathlib import Path
from traceback import walk_stack

import pytest

import latentvqa
from latentvqa.regular_files import (
    NotAFileError,
    open_regular,
    open_regular_text,
    read_regular,
    read_regular_text,
)


def test_a_file_is_opened_through_links(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"content"


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        names = {"pipe": "pipe", "link": "pipe", "socket": "socket", ".": "folder"}
        for name, kind in {**names, "/dev/zero": "device"}.items():
            with pytest.raises(NotAFileError, match=f"^is a {kind}, not a file$"):
                open_regular(Path(name))


def test_what_is_not_there_or_leads_to_itself_is_an_error_of_the_system(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(tmp_path / "loop")


def test_what_was_read_is_the_file_s_bytes_and_text(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\xff")
    assert read_regular(path) == path.read_bytes()
    assert read_regular_text(path, "utf-8-sig", "replace") == "one\ntwo\ufffd"
    with open_regular_text(path, errors="replace", newline="") as file:
        assert file.readline() == "\ufeffone\r\n"


def test_an_interruption_at_any_moment_is_raised_and_closes_no_other_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    for moment in count():
        left = iter(range(moment))

        def interrupt(frame, *_, left=left):
            names = {one.f_code.co_name for one, _ in walk_stack(frame)}
            if "open_regular" in names and next(left, None) is None:
                raise KeyboardInterrupt

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # nobody holds the file yet
            sys.setprofile(interrupt)
            try:
                open_regular(path).close()
            except KeyboardInterrupt:
                continue  # an OSError would be of a number that is closed already
            finally:
                sys.setprofile(None)
        break
    assert moment > 10


# the package's own texts, what the system says of a container, and what is written
OF_NO_USER = {
    "cli/commands/docs.py",
    "cli/commands/presets.py",
    "config/loading.py",
    "config/plans.py",
    "config/preset_facts.py",
    "data/vocabularies/library.py",  # what a library wrote into a folder of our own
    "engine/runtime/device.py",
}


OPENERS = ("open", "path.open", "io.open", "Path(path).open")


def _reads(path):
    """Lines of a module that read a file by other means than ours."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        texts = [part.value for part in ast.walk(call) if isinstance(part, ast.Constant)]
        is_written = bool({"wb", "xb", "ab", "a+b", "w"} & {str(text) for text in texts})
        is_opened = name == "open" and not is_written and ast.unparse(call.func) in OPENERS
        if name in ("read_text", "read_bytes") or is_opened or _is_archive_of_a_path(call):
            yield call.lineno


def _is_archive_of_a_path(call):
    """Whether a library is to open an archive by its name; it would wait for a pipe."""
    function = ast.unparse(call.func)
    if function == "tarfile.open":
        return "fileobj" not in {one.arg for one in call.keywords}
    return function == "zipfile.ZipFile" and ast.unparse(call.args[0]) != "file"


def test_every_file_of_a_user_is_read_through_this_module():
    package = Path(latentvqa.__file__).parent
    found = {
        path.relative_to(package).as_posix(): lines
        for path in package.rglob("*.py")
        if (lines := list(_reads(path)))
    }
    assert found.keys() == OF_NO_USER
