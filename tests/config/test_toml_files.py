"""Files that are given as a configuration."""

import os
import socket

import pytest

from latentvqa.config.toml_files import read_toml
from latentvqa.errors import ConfigError


def refused(path):
    with pytest.raises(ConfigError) as caught:
        read_toml(path, "--config")
    return str(caught.value)


def test_what_cannot_be_read_is_named_with_its_cause(tmp_path):
    assert refused(tmp_path).endswith(": cannot be read: is a folder, not a file")
    assert "Give --config an existing TOML file" in refused(tmp_path / "none.toml")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        assert "cannot be read: " in refused(tmp_path / "s")
    path = tmp_path / "c.toml"
    path.write_bytes(b"a = '\xe9'")
    assert "cannot be read as UTF-8 TOML" in refused(path)
    path.write_text("a = [")
    assert f"{path}: not valid TOML: " in refused(path)


def test_a_file_that_is_far_too_long_is_read_no_further(tmp_path):
    path = tmp_path / "c.toml"
    path.write_bytes(b"#" * (1 << 21))
    assert refused(path).endswith("it is larger than 1 MiB")


def test_a_pipe_is_refused_rather_than_taken_for_an_empty_configuration(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").endswith("pipe: cannot be read: is a pipe, not a file")
