"""Stages that are fitted to the minutes there are."""

import pytest

from latentvqa.config import config_from_toml
from latentvqa.core.records import StagePlan
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.budget import RunSeconds, fit_to_budget
from latentvqa.engine.training.start import dry_run
from latentvqa.models import VisionEncoder
from tests.language_models import write_language_model
from tests.small_runs import BRIEF, small_config, train_small
from tests.tiny import tiny_config

STAGES = {"baseline": 2, "warmup": 10, "full": 28}
SECONDS = RunSeconds(
    5.0,
    {
        ("warmup", True): 1.0,
        ("warmup", False): 3.0,
        ("full", True): 4.0,
        ("full", False): 6.0,
    },
)


def planned(minutes=None, **sections):
    return tiny_config(stages=STAGES, run={"max_minutes": minutes}, **sections)


def test_the_seconds_of_a_plan_are_those_of_its_epochs():
    assert SECONDS.total(planned()) == 5.0 + 12 * 3.0 + 28 * 6.0
    frozen = planned(vision={"freeze_epochs": 3})  # counted from the first latent epoch
    assert SECONDS.total(frozen) == 5.0 + 5 * 1.0 + 7 * 3.0 + 28 * 6.0
    always = planned(vision={"freeze_epochs": 1000})
    assert SECONDS.total(always) == 5.0 + 12 * 1.0 + 28 * 4.0


def test_without_a_limit_or_within_it_nothing_is_changed():
    for config in (planned(), planned(SECONDS.total(planned()) / 60), planned(1000)):
        assert fit_to_budget(config, SECONDS) is config


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3])
def test_a_shortened_plan_fits_and_its_parts_keep_their_proportion(share):
    whole = planned(
        kl={"warmup_start_epoch": 2, "warmup_epochs": 10},
        vision={"freeze_epochs": 10},
    )
    epochs = SECONDS.total(whole) - SECONDS.once
    whole = whole.replace("run", max_minutes=(SECONDS.once + share * epochs) / 60)
    fitted = fit_to_budget(whole, SECONDS)
    assert SECONDS.total(fitted) <= 60 * whole.run.max_minutes
    for section, name in (
        *(("stages", name) for name in STAGES),
        *(("kl", name) for name in ("warmup_start_epoch", "warmup_epochs")),
        ("vision", "freeze_epochs"),
        ("latent", "temperature_warmup_epochs"),
    ):
        before = getattr(getattr(whole, section), name)
        after = getattr(getattr(fitted, section), name)
        assert before > 0 and share * before - 1 < after <= max(1, share * before), name


def test_every_planned_stage_keeps_an_epoch_and_no_other_gets_one():
    fitted = fit_to_budget(planned(1e-6), SECONDS)
    assert (fitted.stages.baseline, fitted.stages.warmup, fitted.stages.full) == (1, 1, 1)
    assert (fitted.vision.freeze_epochs, fitted.data.first_epochs) == (0, 0)
    assert fitted.kl.warmup_epochs == 1


def test_a_budget_shortens_the_stages_and_the_config_says_so(tmp_path):
    changes = ("stages.warmup=400", "stages.full=200", "vision.freeze_epochs=200")
    trained = train_small(tmp_path, *BRIEF, *changes, "run.max_minutes=0.02")
    config = config_from_toml((tmp_path / "config.toml").read_text(), "config.toml")
    stages = config.stages
    assert 1 <= stages.warmup < 400 and 1 <= stages.full < 200
    assert config.kl.warmup_epochs == stages.warmup
    assert config.vision.freeze_epochs < 200
    assert trained.outcome.header.stages == StagePlan(0, stages.warmup, stages.full)
    assert len(trained.outcome.records) == stages.warmup + stages.full
    assert any("run.max_minutes = 0.02: stages fitted" in text for text in trained.recorder.notices)


def test_a_budget_that_suffices_changes_nothing(tmp_path):
    outcome = train_small(tmp_path, *BRIEF, "run.max_minutes=60").outcome
    assert outcome.header.stages == StagePlan(0, 1, 1)


def test_a_budget_keeps_automatic_free_bits(tmp_path):
    changes = (
        *BRIEF,
        "stages.warmup=400",
        "stages.full=0",
        "kl.free_bits=auto",
        "run.max_minutes=0.01",
    )
    trained = train_small(tmp_path, *changes)
    assert read_config(trained.run).kl.free_bits == trained.recorder.plans[0].free_bits


def test_frozen_towers_are_timed_as_training_has_them(tmp_path, monkeypatch):
    folder = write_language_model("bert", tmp_path / "bert")
    asked = []
    features = VisionEncoder.features

    def counted(vision, images):
        asked.append(len(images))
        return features(vision, images)

    monkeypatch.setattr(VisionEncoder, "features", counted)
    frozen = ("vision.freeze_epochs=9", f"text.encoder={folder}")
    assert dry_run(small_config(*BRIEF, *frozen), tmp_path / "scenes", Observer()) > 0
    # once for each of four batches, and not in their steps; one image counts its patches
    assert len([count for count in asked if count > 1]) == 4
