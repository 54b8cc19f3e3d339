"""A first configuration for data of several kinds."""

from dataclasses import replace

import pytest

from latentvqa.config import load_config
from latentvqa.data.guessing.facts import data_facts
from latentvqa.engine.first_config import FirstData, first_config
from tests.small_runs import write_images, write_rows


@pytest.fixture
def data(tmp_path):
    images = write_images(tmp_path / "images", 4)
    rows = [(f"{n % 4}.png", f"what {n}?", str(n % 5)) for n in range(3000)]
    return FirstData(write_rows(tmp_path / "t.csv", rows), images, {})


def test_the_text_loads_and_says_what_was_found(data, tmp_path):
    facts = data_facts(data.train, data.images, {})
    proposed = first_config(data, facts, preset=None, folder=tmp_path)
    path = tmp_path / "run.toml"
    path.write_text(proposed.text)
    config = load_config(path)
    assert config.data.train == data.train and config.data.images == data.images
    assert config.vision.image_size == 64  # of images of 32 pixels
    assert config.loader.batch_size == "auto"
    assert proposed.preset == "small-scratch"
    assert "# - 3,000 questions about 4 images, 5 different answers" in proposed.text


def test_what_is_not_so_is_not_said(data, tmp_path):
    def found(**changes):
        facts = replace(data_facts(data.train, data.images, {}), **changes)
        return first_config(data, facts, preset=None, folder=tmp_path).reasons

    assert found()[0] == "3,000 questions about 4 images, 5 different answers"
    assert found(once=0.07)[0].endswith(", 7 % of the rows with an answer that occurs once")
    assert not [reason for reason in found() if "left out" in reason]
    for lost, told in (
        ({"missing": ("a.png", "b.png")}, "2 images not in the folder, as a.png"),
        ({"unreadable": ("c.png",)}, "1 image not to be decoded, as c.png"),
        (
            {"missing": ("a.png",), "unreadable": ("c.png",)},
            "1 image not in the folder and 1 image not to be decoded, as a.png",
        ),
    ):
        assert f"{told}: their questions are left out" in found(**lost)


@pytest.mark.parametrize("preset", ["photos-small", "photos", "easy-vqa"])
def test_a_named_preset_is_taken_as_it_is(data, tmp_path, preset):
    facts = data_facts(data.train, data.images, {})
    proposed = first_config(data, facts, preset=preset, folder=tmp_path)
    path = tmp_path / "run.toml"
    path.write_text(proposed.text)
    named = [f"data.train={data.train}", f"data.images={data.images}"]
    assert load_config(path) == load_config(preset=preset, overrides=named)


def test_paths_elsewhere_are_whole(data, tmp_path):
    facts = data_facts(data.train, data.images, {})
    proposed = first_config(data, facts, preset=None, folder=tmp_path / "configs")
    assert f'train = "{data.train.as_posix()}"' in proposed.text
