import pytest

from tests.in_process import cli
from tests.small_runs import finished

__all__ = ["cli", "finished"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
