import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.config import (
    Config,
    changed_keys,
    config_from_toml,
    config_to_toml,
    load_config,
    preset_names,
)
from latentvqa.errors import ConfigError

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
BACKBONES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/:"), min_size=1, max_size=8
) | st.sampled_from(["hf-hub:owner/model", "local-dir:folder/model"])
PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(Path)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "data": st.fixed_dictionaries(
            {},
            optional={
                "train": PATHS,
                "val": PATHS,
                "columns": st.dictionaries(NAMES, NAMES, max_size=2),
                "val_fraction": st.floats(0, 1, exclude_min=True, exclude_max=True),
                "on_bad_image": st.sampled_from(["error", "skip"]),
                "allow_outside": st.booleans(),
                "scenes": st.sampled_from(["easy", "full"]),
                "scene_seed": st.integers(0, 2**63 - 1),
            },
        ),
        "vision": st.fixed_dictionaries(
            {},
            optional={
                "name": BACKBONES,
                "pretrained": st.booleans() | PATHS,
                "image_size": st.just("auto") | st.integers(16, 2048),
                "stride": st.sampled_from(["auto", "last"]) | st.integers(2, 64),
            },
        ),
        "latent": st.fixed_dictionaries(
            {},
            optional={
                "bottleneck": st.sampled_from(["gaussian", "deterministic", "none"]),
                "temperature": st.floats(0, 10),
                "initial_logvar": st.floats(-10, 2),
                "token_dropout": st.floats(0, 1, exclude_max=True),
            },
        ),
        "kl": st.fixed_dictionaries(
            {},
            optional={
                "factor": st.floats(0, 1e6) | st.integers(0, 1_000_000),
                "warmup_epochs": st.just("auto") | st.integers(0, 100),
            },
        ),
        "teacher": st.fixed_dictionaries({}, optional={"scorer": NAMES}),
        "run": st.fixed_dictionaries(
            {},
            optional={
                "device": NAMES,
                "max_minutes": st.none() | st.floats(1e-300, 1e6),
                "threads": st.just("auto") | st.integers(1, 1024),
            },
        ),
    },
).map(Config.model_validate)


@given(CONFIGS)
@settings(max_examples=150)
def test_a_configuration_survives_its_toml(config):
    assert config_from_toml(config_to_toml(config), "config.toml") == config


@given(CONFIGS, CONFIGS)
@settings(max_examples=40)
def test_only_what_differs_is_told(old, new):
    changed = changed_keys(old, new)
    assert (changed == {}) is (old == new)
    for key, (before, after) in changed.items():
        assert before != after
        assert changed_keys(new, old)[key] == (after, before)


@pytest.mark.parametrize("name", preset_names())
def test_a_written_configuration_loads_again_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(preset=name, overrides=["data.train=t.csv", "data.images=pics"])
    path = tmp_path / "run" / "config.toml"
    path.parent.mkdir()
    path.write_text(config_to_toml(config), encoding="utf-8")
    assert load_config(path) == config


def test_every_key_with_a_value_is_written():
    written = tomllib.loads(config_to_toml(Config()))
    for section, values in Config().model_dump().items():
        assert written[section].keys() == {key for key, v in values.items() if v is not None}


def test_changes_are_told_by_dotted_key_with_old_and_new_value():
    old = Config()
    new = old.replace("kl", factor=0.5).replace("run", max_minutes=3.0)
    assert changed_keys(old, new) == {"kl.factor": (0.2, 0.5), "run.max_minutes": (None, 3.0)}


@pytest.mark.parametrize("text", ["[kl", "[kl]\nfactor = -1\n", "[other]\nx = 1\n"])
def test_a_text_that_is_no_configuration_is_refused_with_its_source(text):
    with pytest.raises(ConfigError, match=r"^here/config\.toml: not a configuration"):
        config_from_toml(text, "here/config.toml")
