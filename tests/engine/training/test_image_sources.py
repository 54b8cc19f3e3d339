"""Features of a frozen backbone: computed once, shared, and the same as running it."""

import os

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from latentvqa.config import load_config
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.image_sources import features_content, read_features
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import DataError
from latentvqa.models import VisionEncoder, create_backbone, whole_weights
from tests.small_runs import (
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    questions,
    records_of,
    small_config,
    small_disk,
    small_overrides,
    write_images,
    write_rows,
)

IMAGES = 80  # more than one block
FROZEN = ("data.scene_images=80", "data.scene_questions=4", "vision.freeze_epochs=3")


@pytest.fixture
def looked_at(monkeypatch):
    """Number of images in each pass through a backbone; one alone counts its patches."""
    passes = []
    features = VisionEncoder.features

    def counted(self, images):
        if len(images) > 1:
            passes.append(len(images))
        return features(self, images)

    monkeypatch.setattr(VisionEncoder, "features", counted)
    return passes


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    backbone, _ = create_backbone("test_resnet", image_size=48, stride=8)
    path = tmp_path / "weights.safetensors"
    save_file(whole_weights("test_resnet", backbone), path)
    return path


@pytest.fixture
def data(tmp_path):
    """A table and its images, given once to several runs."""
    table = write_rows(tmp_path / "t.csv", questions(IMAGES))
    images = write_images(tmp_path / "images", IMAGES, side=48)
    return f"data.train={table}", f"data.images={images}"


def run_small(run, *changes):
    recorder = Recorder()
    return train(small_config(*changes), run, recorder), recorder


def losses(outcome):
    return [
        value
        for record in outcome.records
        for value in (record.train.answer_loss, record.val.answer_loss, record.val.kl_raw)
    ]


def test_a_frozen_backbone_sees_every_image_once(tmp_path, looked_at):
    run_small(tmp_path / "run", *FROZEN, "stages.full=1")
    assert looked_at == [64, 16]


def test_an_unfrozen_backbone_gets_pixels_again(tmp_path, looked_at):
    run_small(tmp_path / "run", *FROZEN, "vision.freeze_epochs=1", "stages.full=0")
    assert looked_at[:2] == [64, 16]
    assert sum(looked_at[2:]) >= IMAGES  # the second epoch, validation included


def test_features_say_what_the_backbone_says(tmp_path):
    kept, _ = run_small(tmp_path / "kept", *FROZEN)
    run, _ = run_small(tmp_path / "run", *FROZEN, "loader.feature_mib=0")
    assert losses(kept) == pytest.approx(losses(run), rel=1e-3)


@pytest.fixture
def fitted(monkeypatch):
    """Images whose features each run was fitted to at its beginning."""
    counts = []
    fit = VisionEncoder.begin_whitened

    def counted(self, features):
        counts.append(len(features))
        fit(self, features)

    monkeypatch.setattr(VisionEncoder, "begin_whitened", counted)
    return counts


def test_only_a_new_run_is_fitted_to_the_features_of_its_training_images(tmp_path, fitted):
    run_small(tmp_path / "run", *FROZEN, "stages.full=0")
    assert fitted == [72]  # a tenth of 80 is held out
    run_small(tmp_path / "later", *FROZEN, f"run.init_from={tmp_path / 'run'}", "stages.full=0")
    run_small(tmp_path / "scratch", *FROZEN, "vision.freeze_epochs=0", "stages.full=0")
    run_small(tmp_path / "blind", *FROZEN, "vision.blind=true", "stages.full=0")
    assert fitted == [72]


def test_too_many_features_are_told_with_their_size(tmp_path, looked_at):
    big = ("vision.image_size=96", "stages.warmup=1", "stages.full=0")
    _, recorder = run_small(tmp_path / "run", *FROZEN, *big, "loader.feature_mib=1")
    assert any(
        "features of 80 images take" in text and "loader.feature_mib = 1" in text
        for text in recorder.notices
    )
    assert sum(looked_at[1:]) >= IMAGES  # after the block that told


@pytest.mark.parametrize(("phase", "report"), [("epoch 1", 3), ("features of the backbone", 1)])
def test_a_run_interrupted_while_frozen_goes_on_exactly(tmp_path, phase, report):
    run_small(tmp_path / "whole", *FROZEN)
    with interrupted():
        train(small_config(*FROZEN), tmp_path / "run", Interrupter(phase, report))
    resume(tmp_path / "run", None, Observer())
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def pretrained(weights, data, folder, *changes):
    return (
        *(f"vision.pretrained={weights}", f"loader.feature_folder={folder}", *data),
        *("vision.freeze_epochs=1", "stages.warmup=1", "stages.full=0"),
        *changes,
    )


def train_on_table(run, *changes):
    recorder = Recorder()
    scenes = {f"data.{key}": None for key in ("scenes", "scene_images", "scene_questions")}
    train(load_config(overrides=small_overrides(*changes, **scenes)), run, recorder)
    return recorder


def test_runs_share_features_whatever_their_split(tmp_path, weights, data, looked_at):
    folder = tmp_path / "features"
    first = pretrained(weights, data, folder)
    train_on_table(tmp_path / "a", *first)
    assert looked_at == [64, 16]
    train_on_table(tmp_path / "b", *first)
    train_on_table(tmp_path / "c", *first, "run.seed=5")  # another split
    assert looked_at == [64, 16]
    assert len(list(folder.glob("*.safetensors"))) == 1
    assert records_of(tmp_path / "a") == records_of(tmp_path / "b")
    os.utime(next((tmp_path / "images").iterdir()), ns=(1, 1))
    train_on_table(tmp_path / "d", *first)
    assert looked_at == [64, 16] * 2  # an image was touched


def test_features_averaged_to_another_grid_are_computed_anew(tmp_path, weights, data, looked_at):
    folder = tmp_path / "features"
    train_on_table(tmp_path / "a", *pretrained(weights, data, folder))
    train_on_table(tmp_path / "b", *pretrained(weights, data, folder, "vision.pool=2"))
    assert looked_at == [64, 16] * 2
    assert len(list(folder.glob("*.safetensors"))) == 2


def test_a_broken_file_of_features_is_told_and_computed_anew(tmp_path, weights, data, looked_at):
    folder = tmp_path / "features"
    train_on_table(tmp_path / "a", *pretrained(weights, data, folder))
    (file,) = folder.glob("*.safetensors")
    whole = bytearray(file.read_bytes())
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    recorder = train_on_table(tmp_path / "b", *pretrained(weights, data, folder))
    assert looked_at == [64, 16] * 2
    assert [text for text in recorder.notices if "features" in text] == [
        f"warning: {file} is damaged; its features are computed anew"
    ]
    assert file.read_bytes() == whole
    assert records_of(tmp_path / "a") == records_of(tmp_path / "b")


def test_no_flipped_byte_of_a_hundred_is_taken_for_features(tmp_path):
    file, generator = tmp_path / "x.safetensors", np.random.default_rng(0)
    features = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0))
    whole = features_content(features)
    file.write_bytes(whole)
    told = []
    assert torch.equal(read_features(file, told.append), features) and not told
    assert read_features(tmp_path / "none", told.append) is None and not told
    places = [*range(100), *generator.integers(100, len(whole), 100)]
    for number, place in enumerate(places, start=1):
        changed = bytearray(whole)
        changed[place] ^= int(generator.integers(1, 256))
        file.write_bytes(changed)
        assert read_features(file, told.append) is None and len(told) == number
    for kept in range(0, len(whole), 7):
        file.write_bytes(whole[:kept])
        assert read_features(file, told.append) is None


def test_features_that_are_not_finite_are_told_with_their_image(tmp_path, weights, data):
    boundless = {
        name: tensor * 1e38 if tensor.ndim == 4 else tensor
        for name, tensor in load_file(weights).items()
    }
    save_file(boundless, weights)
    with pytest.raises(
        DataError, match=r"0\.png and \d+ more of 64 images: the frozen backbone test_resnet gives"
    ):
        train_on_table(tmp_path / "a", *pretrained(weights, data, tmp_path / "features"))
    assert not list((tmp_path / "features").glob("*.safetensors"))


def test_a_full_disk_keeps_features_in_memory(tmp_path, weights, data):
    with small_disk(tmp_path / "disk", "64k") as folder:
        recorder = train_on_table(tmp_path / "a", *pretrained(weights, data, folder))
        assert any("kept in memory only" in text for text in recorder.notices)
        assert list(folder.glob("*.safetensors")) == []
    train_on_table(tmp_path / "b", *pretrained(weights, data, tmp_path / "features"))
    assert records_of(tmp_path / "a") == records_of(tmp_path / "b")
