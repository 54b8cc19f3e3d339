import importlib.util

import pytest

from latentvqa.engine.export.packages import PACKAGES, require_packages
from latentvqa.errors import ConfigError


def test_nothing_is_missing_where_all_are_installed():
    assert all(importlib.util.find_spec(name) for name in PACKAGES)
    require_packages()


def test_one_that_is_missing_is_named_alone(monkeypatch):
    monkeypatch.setattr("latentvqa.engine.export.packages.PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(ConfigError, match=r"needs no_such_package, .*latentvqa\[onnx\]"):
        require_packages()
