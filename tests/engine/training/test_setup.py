"""From a configuration to a trainer: one seed for all, and numbers that need the data first."""

import shutil

import pytest

from latentvqa.config import load_config
from latentvqa.core.histogram import kl_after_at
from latentvqa.core.schedules.free_bits import automatic_free_bits
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.setup import begin
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import ConfigError
from latentvqa.history import read_history
from tests.small_runs import (
    BRIEF,
    Recorder,
    assert_same_run,
    records_of,
    small_config,
    train_small,
)

WARMUP = ("data.scene_images=20", "stages.warmup=2", "stages.full=0")
CONTROLLER = ("kl.schedule=controller", "kl.free_bits=0.0", "kl.integral_gain=0.03")


def test_the_same_seed_gives_the_same_bits_and_another_one_others(finished, tmp_path):
    train_small(tmp_path / "again")
    assert_same_run(tmp_path / "again", finished.run)
    other = train_small(tmp_path / "other", "run.seed=1", "stages.full=0", "stages.warmup=1")
    assert records_of(other.run)[0]["val"] != records_of(finished.run)[0]["val"]


def test_questions_about_one_image_never_stand_on_both_sides(finished):
    lines = (finished.run / "split.csv").read_text().splitlines()[1:]
    sides = dict(line.split(",") for line in lines)
    assert len(sides) == len(lines) == 40
    assert sum(side == "val" for side in sides.values()) == 4


@pytest.fixture(scope="module")
def automatic(tmp_path_factory):
    """One run with automatic free bits that nobody may change."""
    run = tmp_path_factory.mktemp("automatic") / "run"
    return train_small(run, *WARMUP, "kl.free_bits=auto", "kl.free_bits_per_need=5")


def test_the_number_of_automatic_free_bits_is_the_same_everywhere(automatic):
    run, outcome, plan = automatic.run, automatic.outcome, automatic.recorder.plans[0]
    number = automatic_free_bits(plan.answer_entropy, 5.0, 6, 16, "mean")
    assert 0.01 < number < 0.2
    assert read_history(run).header.kl.free_bits == number
    assert read_config(run).kl.free_bits == number
    assert plan.free_bits == number
    assert load_model(run).scoring_settings(batch_size=64).kl.free_bits == number
    for record in outcome.records:
        for split in (record.train, record.val):
            low, high = kl_after_at(split.kl_histogram, number)  # exact at free_bits
            assert (low, high) == pytest.approx((split.kl_after, split.kl_after))


def test_automatic_free_bits_are_in_the_loss(automatic, tmp_path):
    number = automatic.outcome.header.kl.free_bits
    fixed = train_small(tmp_path, *WARMUP, f"kl.free_bits={number!r}", "kl.free_bits_per_need=5")
    assert_same_run(fixed.run, automatic.run)


def test_a_run_with_automatic_free_bits_resumes_with_its_number_or_with_auto(automatic, tmp_path):
    for name, change in (("number", "stages.warmup=3"), ("auto", "kl.free_bits=auto")):
        run = shutil.copytree(automatic.run, tmp_path / name)
        resume(
            run, load_config(run / "config.toml", overrides=[change, "stages.warmup=3"]), Observer()
        )
        assert len(read_history(run).records) == 3
        assert read_config(run).kl.free_bits == automatic.outcome.header.kl.free_bits
    assert_same_run(tmp_path / "number", tmp_path / "auto")


def test_a_run_with_other_free_bits_does_not_become_automatic(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"kl\.free_bits: 0\.1 -> \d"):
        resume(run, load_config(run / "config.toml", overrides=["kl.free_bits=auto"]), Observer())
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_automatic_free_bits_above_the_set_point_are_a_fault(tmp_path):
    config = small_config(*WARMUP, *CONTROLLER, "kl.free_bits=auto", "kl.set_point=0.01")
    with pytest.raises(ConfigError, match=r'"auto" is [\d.]+ here: kl\.set_point = 0\.01 must lie'):
        train(config, tmp_path / "run", Observer())
    assert not (tmp_path / "run").exists()


def test_a_weights_file_that_is_missing_is_told_before_scenes_are_made(tmp_path):
    config = small_config(*BRIEF, f"vision.pretrained={tmp_path / 'none.safetensors'}")
    with pytest.raises(ConfigError, match=r"none\.safetensors cannot be read"):
        begin(config, tmp_path / "scenes", Recorder())
    assert not (tmp_path / "scenes").exists()
