"""The schedules of the KL weight and automatic free bits, in real runs."""

import shutil

import pytest

from latentvqa.cli.console import plan_lines
from latentvqa.config import load_config
from latentvqa.core.histogram import kl_after_at
from latentvqa.core.schedules.free_bits import automatic_free_bits
from latentvqa.core.schedules.kl_weight import ControllerState, cyclical_fraction_at
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.signals import Interrupted
from latentvqa.engine.training.start import dry_run, resume, train
from latentvqa.engine.training.state import Progress
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import ConfigError, DivergenceError
from latentvqa.history import read_history
from tests.small_runs import (
    Interrupter,
    Recorder,
    assert_same_run,
    small_config,
    spoil_weights,
    train_small,
)

BRIEF = ("data.scene_images=20", "stages.warmup=2", "stages.full=0")
CONTROLLER = ("kl.schedule=controller", "kl.free_bits=0.0", "kl.integral_gain=0.03")


def weights_of(outcome):
    return [record.effective_kl_weight for record in outcome.records]


def test_a_constant_weight_is_the_full_one_from_its_start(tmp_path):
    outcome = train_small(
        tmp_path, *BRIEF, "kl.schedule=constant", "kl.warmup_start_epoch=1"
    ).outcome
    assert weights_of(outcome) == pytest.approx([0.0, 3.0])
    assert (outcome.header.kl_schedule, outcome.header.warmup_epochs) == ("constant", 0)


def test_the_logged_weights_of_the_cycles_are_means_of_the_pure_function(tmp_path):
    changes = ("kl.schedule=cyclical", "kl.cycles=2", "kl.rising_share=0.75", "kl.free_bits=0.0")
    outcome = train_small(tmp_path, *BRIEF, *changes).outcome
    steps = outcome.records[0].steps
    shares = [
        [
            cyclical_fraction_at(epoch + step / steps, 0, 2, cycles=2, rising_share=0.75)
            for step in range(steps)
        ]
        for epoch in (0, 1)
    ]
    assert weights_of(outcome) == pytest.approx([3.0 * sum(epoch) / steps for epoch in shares])
    assert outcome.header.kl_schedule == "cyclical"
    # the validation loss is priced at the weight of the epoch's last step
    for record, epoch in zip(outcome.records, shares, strict=True):
        val = record.val
        penalty = (val.total_loss - val.answer_loss - 0.1 * val.orthogonality) / val.kl_after
        assert penalty == pytest.approx(3.0 * epoch[-1], rel=1e-3)


def test_a_controller_holds_the_kl_closer_to_its_set_point_than_a_constant_weight(tmp_path):
    changes = ("stages.warmup=6", "stages.full=0", "kl.free_bits=0.0")
    held = train_small(tmp_path / "held", *changes, *CONTROLLER, "kl.set_point=0.08").outcome
    full = train_small(tmp_path / "full", *changes, "kl.schedule=constant").outcome
    distance, other = (abs(outcome.records[-1].train.kl_raw - 0.08) for outcome in (held, full))
    assert distance < 0.02
    assert 2 * distance < other
    weights = weights_of(held)
    assert all(0.0 < weight < 3.0 for weight in weights)
    assert (held.header.kl_schedule, held.header.warmup_epochs) == ("controller", None)


def test_a_controllers_weight_starts_at_zero_and_follows_the_kl(tmp_path):
    """The first step knows no KL; a gain of 1 then jumps to the bound that the KL asks for."""
    changes = ("kl.integral_gain=1.0", "stages.warmup=1")
    low = train_small(tmp_path / "low", *BRIEF, *CONTROLLER, *changes, "kl.set_point=1e-6").outcome
    steps = low.records[0].steps
    assert weights_of(low) == pytest.approx([3.0 * (steps - 1) / steps])
    high = train_small(tmp_path / "high", *BRIEF, *CONTROLLER, *changes, "kl.set_point=1e6").outcome
    assert weights_of(high) == [0.0]


def test_an_interrupted_controller_goes_on_as_if_it_had_not_been(tmp_path):
    config = small_config(*BRIEF, *CONTROLLER, "kl.set_point=0.1", "stages.full=1")
    train(config, tmp_path / "whole", Observer())
    parts = tmp_path / "parts"
    for phase, report in (("epoch 0", 2), ("validation", 1), ("epoch 1", 3), ("epoch 2", 1)):
        with pytest.raises(Interrupted):
            if not parts.exists():
                train(config, parts, Interrupter(phase, report))
            else:
                resume(parts, None, Interrupter(phase, report))
    resume(parts, None, Observer())
    assert_same_run(parts, tmp_path / "whole")
    one, other = (
        load_checkpoint(tmp_path / name / "last").trainer["progress"] for name in ("parts", "whole")
    )
    assert one["controller"] == other["controller"]
    assert 0.0 < one["controller"]["fraction"] < 1.0


def test_a_kl_that_is_not_finite_stops_a_controller(tmp_path, monkeypatch):
    """As on an accelerator, where the loss itself is looked at only now and then."""
    run = train_small(tmp_path, *BRIEF, *CONTROLLER, "kl.set_point=0.1").run
    spoil_weights(run, "bottleneck.mu.weight", 1e38)
    last = (run / "last").read_text()
    monkeypatch.setattr(Trainer, "_check_finite", lambda *_: None)
    longer = load_config(run / "config.toml", overrides=["stages.warmup=3"])
    with pytest.raises(DivergenceError, match="kl_raw became NaN or infinite in epoch 2 at step "):
        resume(run, longer, Observer())
    assert (run / "last").read_text() == last


def test_a_checkpoint_of_an_earlier_version_has_no_controller():
    progress = Progress.from_json({"epoch": 3, "weight_sum": 1.5})
    assert (progress.epoch, progress.controller) == (3, ControllerState())
    assert Progress.from_json(progress.to_json()) == progress


def test_an_evaluation_prices_the_kl_as_the_validation_did(tmp_path):
    run = train_small(tmp_path, *BRIEF, "kl.warmup_by=step").run
    settings = load_model(run / "last").scoring_settings(batch_size=64)
    progress = load_checkpoint(run / "last").trainer["progress"]
    assert settings.effective_weight == progress["weight"] > 0.0


@pytest.fixture(scope="module")
def automatic(tmp_path_factory):
    """One run with automatic free bits that nobody may change."""
    run = tmp_path_factory.mktemp("automatic") / "run"
    return train_small(run, *BRIEF, "kl.free_bits=auto", "kl.free_bits_per_need=5")


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
    fixed = train_small(tmp_path, *BRIEF, f"kl.free_bits={number!r}", "kl.free_bits_per_need=5")
    assert_same_run(fixed.run, automatic.run)


def test_a_dry_run_tells_how_free_bits_were_reckoned(tmp_path):
    recorder = Recorder()
    dry_run(
        small_config(*BRIEF, "kl.free_bits=auto", "kl.free_bits_per_need=5"), tmp_path, recorder
    )
    plan = recorder.plans[0]
    reckoned = f"5 x H(A) {plan.answer_entropy:.3g} / (6 x 16) = {plan.free_bits:.3g}"
    assert plan.free_bits_origin == reckoned
    assert any(f"auto: {reckoned}" in line for line in plan_lines(plan, 1.0))


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
    config = small_config(*BRIEF, *CONTROLLER, "kl.free_bits=auto", "kl.set_point=0.01")
    with pytest.raises(ConfigError, match=r'"auto" is [\d.]+ here: kl\.set_point = 0\.01 must lie'):
        train(config, tmp_path / "run", Observer())
    assert not (tmp_path / "run").exists()


def test_a_budget_keeps_automatic_free_bits(tmp_path):
    changes = (*BRIEF, "stages.warmup=400", "kl.free_bits=auto", "run.max_minutes=0.01")
    trained = train_small(tmp_path, *changes)
    assert read_config(trained.run).kl.free_bits == trained.recorder.plans[0].free_bits
