"""A tool that is not installed is a fault of the configuration."""

import sys
import tomllib

import pytest

from latentvqa.config.sections import Tool
from latentvqa.errors import ConfigError
from latentvqa.tracking.opening import open_tracker, require_installed
from latentvqa.tracking.tracker import TrackedRun
from tests.small_runs import ROOT

TOOLS = Tool.__args__


def test_a_missing_package_is_named_with_the_extra_that_installs_it(monkeypatch):
    require_installed(TOOLS)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "modules", {})
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(ConfigError) as caught:
        require_installed([*TOOLS, *TOOLS])
    lines = str(caught.value).splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == [
        f'pip install "latentvqa[{name}]"' for name in TOOLS
    ]


def test_every_tool_is_an_extra_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(TOOLS) <= project["optional-dependencies"].keys()


def test_a_name_that_no_tool_has_is_a_bug(tmp_path):
    with pytest.raises(ValueError, match="no tool has the name mlflow"):
        open_tracker("mlflow", TrackedRun(tmp_path, {}, ""))
