"""A configuration file of a text."""

import pytest


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
