import os
import socket
from pathlib import Path

import pytest

from latentvqa.data.formats.regular_files import NotAFileError, open_regular


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
