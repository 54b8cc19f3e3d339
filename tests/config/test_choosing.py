import pytest

from latentvqa.config import RULE_SCORER, choose_config, choose_resumed
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


def test_a_resumed_run_s_scorer_counts_only_where_the_options_name_it():
    known = choose_config(overrides=["teacher.scorer=theirs:make"])[0]
    assert choose_resumed(known, []) == (None, RULE_SCORER)
    wanted, scorer = choose_resumed(known, ["run.threads=1"])
    assert (wanted.run.threads, wanted.teacher.scorer) == (1, "theirs:make")
    assert scorer == RULE_SCORER
    assert choose_resumed(known, ['teacher.scorer = "theirs:make"'])[1] == "theirs:make"
