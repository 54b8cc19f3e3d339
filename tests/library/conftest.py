"""One run from Python for all tests of the library."""

import pytest

import latentvqa
from tests.small_runs import BRIEF, small_config


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run trained with nobody watching; nobody may change it."""
    folder = tmp_path_factory.mktemp("library") / "first"
    return latentvqa.train(small_config(*BRIEF), out=folder)
