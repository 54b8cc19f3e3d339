"""The shipped presets as a list, and one as a file."""

import tomllib

from latentvqa.config import load_config, preset_names


def test_every_preset_is_listed_with_its_purpose(cli):
    done = cli("presets")
    assert done.code == 0
    for name in preset_names():
        assert f"\n{name}\n" in f"\n{done.out}"
    assert "Reached: " in done.out


def test_one_is_shown_as_a_file_that_loads(cli, tmp_path):
    done = cli("presets", "small-scratch")
    assert tomllib.loads(done.out)["vision"]["image_size"] == 96
    path = tmp_path / "run.toml"
    path.write_text(done.out)
    data = ["data.train=t.csv", "data.images=i"]
    same = load_config(preset="small-scratch", overrides=data)
    assert load_config(path, overrides=data) == same


def test_an_unknown_one_is_refused_with_the_nearest(cli):
    done = cli("presets", "small-scrach")
    assert done.code == 2 and "Did you mean small-scratch?" in done.err
