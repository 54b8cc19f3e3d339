import pytest

from latentvqa.config import choose_config
from latentvqa.errors import ConfigError


def test_the_quickstart_is_chosen_where_nothing_names_data():
    config, name = choose_config()
    assert (config.data.scenes, name) == ("easy", "quickstart")
    changed, name = choose_config(overrides=["latent.dims=8"])
    assert (changed, name) == (config.replace("latent", dims=8), "quickstart")


def test_a_named_table_drops_the_quickstart():
    config, name = choose_config(overrides=["data.train=t.csv", "data.images=i"])
    assert (config.data.scenes, config.data.train.name, name) == (None, "t.csv", "run")


def test_a_run_is_named_for_its_file_before_its_preset(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[latent]\ndims = 8\n")
    config, name = choose_config(str(path), preset="quickstart")
    assert (config.latent.dims, name) == (8, "mine")
    assert choose_config(preset="quickstart")[1] == "quickstart"
    with pytest.raises(ConfigError, match=r"data\.train is missing"):
        choose_config(path)
