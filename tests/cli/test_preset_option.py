"""``--preset`` names the presets that there are."""

import re

import pytest

from latentvqa.config import preset_names


@pytest.mark.parametrize("name", ["train", "init"])
def test_the_presets_are_named(cli, name):
    shown = cli(name, "--help").out
    assert all(re.search(rf"\b{preset}\b", shown) for preset in preset_names())
