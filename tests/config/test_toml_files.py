"""Files that are given as a configuration."""

import os
import socket
import threading
from pathlib import Path

import pytest

from latentvqa.config.toml_files import read_toml
from latentvqa.errors import ConfigError


def refused(path):
    with pytest.raises(ConfigError) as caught:
        read_toml(path, "--config")
    return str(caught.value)


def test_what_cannot_be_read_is_named_with_its_cause(tmp_path):
    assert refused(tmp_path).endswith(": cannot be read: Is a directory")
    assert "Give --config an existing TOML file" in refused(tmp_path / "none.toml")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        assert "cannot be read: " in refused(tmp_path / "s")
    path = tmp_path / "c.toml"
    path.write_bytes(b"a = '\xe9'")
    assert "cannot be read as UTF-8 TOML" in refused(path)
    path.write_text("a = [")
    assert f"{path}: not valid TOML: " in refused(path)


def test_a_device_without_an_end_is_read_no_further_than_a_configuration_is_long():
    assert refused(Path("/dev/zero")).endswith("it is larger than 1 MiB")


def test_a_pipe_is_read_where_somebody_writes_and_empty_where_nobody_does(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_toml(path, "--config") == {}
    reader, writer = os.pipe()
    threading.Timer(0.1, lambda: (os.write(writer, b"a = 1"), os.close(writer))).start()
    assert read_toml(Path(f"/dev/fd/{reader}"), "--config") == {"a": 1}
    os.close(reader)
