"""The package as Python code imports it, from its own names alone."""

import os

import latentvqa
from latentvqa.config import config_to_toml
from tests.small_runs import small_config


def test_a_configuration_is_read_from_text_paths_too(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(config_to_toml(small_config()), encoding="utf-8")
    config = latentvqa.load_config(os.fspath(path))
    assert config == latentvqa.load_config(path) == small_config()
    assert config.latent.dims == 16
    changed = latentvqa.load_config(preset="quickstart", overrides=["latent.dims=8"])
    assert changed.latent.dims == 8
