"""Features of images, computed once and read in many passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.engine import features
from latentvqa.engine.features import FeatureStore, SomeImages, collected, encoded_once
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from tests.small_runs import Recorder


@pytest.fixture(scope="module")
def loaded(finished):
    return load_model(finished.run)


@pytest.fixture(scope="module")
def pixels(loaded, finished):
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation)
    return ImageStore(validation_table(finished.run).image_paths, transform, 64)


def test_what_is_encoded_once_is_what_each_pass_would_encode(loaded, pixels):
    settings, recorder = loaded.scoring_settings(batch_size=7), Recorder()
    count = len(pixels.paths)
    found = encoded_once(loaded.model.vision, pixels, count, settings, recorder)
    chosen = np.array([2, 0, 2])
    with torch.no_grad():
        expected = loaded.model.vision.features(pixels.get(chosen))
    assert isinstance(found, FeatureStore)
    torch.testing.assert_close(found.get(chosen), expected)


def test_the_type_of_a_rounded_pass_is_kept(loaded, pixels):
    settings = replace(loaded.scoring_settings(batch_size=7), precision="bf16")
    found = encoded_once(loaded.model.vision, pixels, 3, settings, Recorder())
    assert found.get(np.array([1])).dtype == torch.bfloat16


def test_images_whose_features_need_too_much_memory_stay_pixels(loaded, pixels, monkeypatch):
    monkeypatch.setattr(features, "_MOST_MIB", 0)
    settings = loaded.scoring_settings(batch_size=7)
    found = encoded_once(loaded.model.vision, pixels, len(pixels.paths), settings, Recorder())
    assert found is pixels


def test_all_blocks_are_collected_in_order():
    done = []
    wanted = torch.arange(150.0).view(150, 1, 1)
    found = collected(lambda start, end: wanted[start:end], 150, 1, on_block=done.append)
    assert torch.equal(found, wanted)
    assert done == [64, 128, 150]


def test_too_much_is_told_before_the_second_block():
    excess = []
    found = collected(
        lambda start, end: torch.zeros(end - start, 1024, 256),  # 1 MiB an image
        150,
        149,
        on_block=lambda done: pytest.fail("nothing was to be kept"),
        on_excess=excess.append,
    )
    assert found is None
    assert excess == [150.0]


def test_some_images_have_numbers_of_their_own():
    store = FeatureStore(torch.arange(5.0).view(5, 1, 1), np.arange(5))
    some = SomeImages(store, np.array([1, 4]))
    assert some.get(np.array([1, 0, 1])).flatten().tolist() == [4.0, 1.0, 4.0]
