"""Epochs of real small runs: what is frozen, priced, drawn and stepped in which of them."""

import itertools
import math
import shutil
from pathlib import Path

import pytest
import torch

from latentvqa.config import load_config
from latentvqa.core.schedules.kl_weight import cyclical_fraction_at
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import DivergenceError
from tests.small_runs import (
    BRIEF,
    Interrupter,
    assert_same_run,
    interrupted,
    records_of,
    small_config,
    spoil_weights,
    train_small,
)

WARMUP = ("data.scene_images=20", "stages.warmup=2", "stages.full=0")
CONTROLLER = ("kl.schedule=controller", "kl.free_bits=0.0", "kl.integral_gain=0.03")


def part(weights, prefix):
    return {name: value for name, value in weights.items() if name.startswith(prefix)}


def are_equal(some, others):
    assert some and some.keys() == others.keys()
    return all(torch.equal(some[name], others[name]) for name in some)


def weights_of(records):
    return [record.effective_kl_weight for record in records]


def test_the_logged_weight_is_the_schedule(finished):
    assert weights_of(finished.outcome.records) == pytest.approx([0.0, 1.5, 3.0, 3.0])
    assert [record.kl_weight for record in finished.outcome.records] == pytest.approx(
        [0.0, 7.5, 15.0, 15.0]
    )


def test_by_step_the_weight_rises_inside_an_epoch(tmp_path):
    records = train_small(tmp_path, *BRIEF, "stages.warmup=2", "kl.warmup_by=step").outcome.records
    steps = records[0].steps
    means = [sum(3.0 * (epoch + b / steps) / 2 for b in range(steps)) / steps for epoch in (0, 1)]
    assert weights_of(records) == pytest.approx([*means, 3.0])


def test_a_constant_weight_is_the_full_one_from_its_start(tmp_path):
    outcome = train_small(
        tmp_path, *WARMUP, "kl.schedule=constant", "kl.warmup_start_epoch=1"
    ).outcome
    assert weights_of(outcome.records) == pytest.approx([0.0, 3.0])
    assert (outcome.header.kl_schedule, outcome.header.warmup_epochs) == ("constant", 0)


def test_the_logged_weights_of_the_cycles_are_means_of_the_pure_function(tmp_path):
    changes = ("kl.schedule=cyclical", "kl.cycles=2", "kl.rising_share=0.75", "kl.free_bits=0.0")
    outcome = train_small(tmp_path, *WARMUP, *changes).outcome
    steps = outcome.records[0].steps
    shares = [
        [
            cyclical_fraction_at(epoch + step / steps, 0, 2, cycles=2, rising_share=0.75)
            for step in range(steps)
        ]
        for epoch in (0, 1)
    ]
    assert weights_of(outcome.records) == pytest.approx(
        [3.0 * sum(epoch) / steps for epoch in shares]
    )
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
    weights = weights_of(held.records)
    assert all(0.0 < weight < 3.0 for weight in weights)
    assert (held.header.kl_schedule, held.header.warmup_epochs) == ("controller", None)


def test_a_controllers_weight_starts_at_zero_and_follows_the_kl(tmp_path):
    """The first step knows no KL; a gain of 1 then jumps to the bound that the KL asks for."""
    changes = ("kl.integral_gain=1.0", "stages.warmup=1")
    low = train_small(tmp_path / "low", *WARMUP, *CONTROLLER, *changes, "kl.set_point=1e-6").outcome
    steps = low.records[0].steps
    assert weights_of(low.records) == pytest.approx([3.0 * (steps - 1) / steps])
    high = train_small(
        tmp_path / "high", *WARMUP, *CONTROLLER, *changes, "kl.set_point=1e6"
    ).outcome
    assert weights_of(high.records) == [0.0]


def test_an_interrupted_controller_goes_on_as_if_it_had_not_been(tmp_path):
    config = small_config(*WARMUP, *CONTROLLER, "kl.set_point=0.1", "stages.full=1")
    train(config, tmp_path / "whole", Observer())
    parts = tmp_path / "parts"
    for phase, report in (("epoch 0", 2), ("validation", 1), ("epoch 1", 3), ("epoch 2", 1)):
        with interrupted():
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
    run = train_small(tmp_path, *WARMUP, *CONTROLLER, "kl.set_point=0.1").run
    spoil_weights(run, "bottleneck.mu.weight", 1e38)
    last = (run / "last").read_text()
    monkeypatch.setattr(Trainer, "_is_check_due", lambda _: False)
    longer = load_config(run / "config.toml", overrides=["stages.warmup=3"])
    with pytest.raises(DivergenceError, match="kl_raw became NaN or infinite in epoch 2 at step "):
        resume(run, longer, Observer())
    assert (run / "last").read_text() == last


def test_a_frozen_backbone_does_not_move_and_an_unfrozen_one_does(tmp_path):
    trained = train_small(
        tmp_path, "data.scene_images=20", "stages.full=1", "vision.freeze_epochs=2"
    )
    after = trained.recorder.weights
    first, second, third = (part(weights, "vision.backbone.") for weights in after)
    assert any("running" in name or "num_batches" in name for name in first)  # buffers as well
    assert are_equal(first, second)
    assert not any(
        torch.equal(second[name], third[name]) for name in second if name.endswith("weight")
    )
    assert not are_equal(part(after[0], "question."), part(after[1], "question."))
    is_trained = [record.trainable["vision"] for record in trained.outcome.records]
    assert is_trained == [False, False, True]


def test_the_temperatures_differ(finished):
    records = finished.outcome.records
    assert [record.train.temperature for record in records] == pytest.approx([0.0, 0.2, 0.4, 0.6])
    assert {record.val.temperature for record in records} == {0.5}


def test_the_teacher_compares_pairs_in_the_full_stage_only(finished):
    records = finished.outcome.records
    assert [record.teacher for record in records[:2]] == [None, None]
    assert [record.train.teacher_loss for record in records[:2]] == [None, None]
    for record in records[2:]:
        assert record.teacher.compared == record.train.rows
    assert sum(record.teacher.violating for record in records[2:]) > 0
    assert sum(record.train.teacher_loss for record in records[2:]) > 0
    assert all(
        record.teacher.violating <= record.teacher.differing <= record.teacher.compared
        for record in records[2:]
    )


def test_the_teacher_can_be_turned_off(tmp_path):
    record = train_small(tmp_path, *BRIEF, "teacher.weight=0").outcome.records[-1]
    assert record.train.teacher_loss is None
    assert record.teacher.compared == 0


def test_in_the_baseline_stage_the_decoder_stays_and_the_kl_is_off(tmp_path):
    trained = train_small(tmp_path, *BRIEF, "stages.baseline=2", "stages.full=0")
    after, records = trained.recorder.weights, trained.outcome.records
    assert [record.stage for record in records] == ["baseline", "baseline", "warmup"]
    assert are_equal(part(after[0], "decoder."), part(after[1], "decoder."))
    assert are_equal(part(after[0], "bottleneck."), part(after[1], "bottleneck."))
    assert not are_equal(part(after[0], "fusion."), part(after[1], "fusion."))
    assert not are_equal(part(after[1], "decoder."), part(after[2], "decoder."))
    for record in records[:2]:
        assert record.effective_kl_weight == 0.0
        assert record.train.kl_raw is None and record.val.kl_raw is None
        assert record.trainable["decoder"] is False
        assert record.teacher is None
    assert records[2].val.kl_raw > 0


def test_each_component_has_its_own_rate(tmp_path):
    rates = {"decoder": 1e-3, "latent": 2e-3, "fusion": 3e-3, "question": 4e-3, "vision": 5e-3}
    changes = [f"optimizer.{name}_rate={rate}" for name, rate in rates.items()]
    trained = train_small(tmp_path, *BRIEF, "optimizer.schedule=constant", *changes)
    for record in trained.outcome.records:
        assert record.learning_rates == pytest.approx(rates)
    assert trained.recorder.plans[0].peak_rates == rates


def test_the_rates_fall_along_the_cosine(finished):
    rates = [record.learning_rates["decoder"] for record in finished.outcome.records]
    assert all(later < earlier for earlier, later in itertools.pairwise(rates))
    assert 0.0 < rates[-1] < 0.1 * 3e-3


@pytest.mark.heavy
def test_loader_processes_do_not_change_the_run(finished, tmp_path):
    assert records_of(train_small(tmp_path, "loader.workers=2").run) == records_of(finished.run)


@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("bottleneck.mu.weight", 1e38, "answer_loss"),
        ("bottleneck.mu.weight", 1e38, "kl_after"),
    ],
)
def test_a_loss_that_is_not_finite_stops_and_the_last_checkpoint_stays(
    finished, tmp_path, name, value, term
):
    run = Path(shutil.copytree(finished.run, tmp_path / "run"))
    spoil_weights(run, name, value)
    last = (run / "last").read_text()
    longer = load_config(run / "config.toml", overrides=["stages.full=3"])
    with pytest.raises(DivergenceError) as caught:
        resume(run, longer, Observer())
    message = str(caught.value)
    assert term in message and "became NaN or infinite in epoch 4 at step " in message
    assert ", in a batch of rows " in message
    assert "last good checkpoint stays, if one was saved" in message
    assert (run / "last").read_text() == last
    assert load_checkpoint(run / "last").notes == ()
    assert len(records_of(run)) == 4


RUNNING = "vision.backbone.bn1.running_mean"


@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        # batches are normalised by their own statistics, so that no loss shows it
        (lambda model: model.get_buffer(RUNNING), RUNNING),
        (lambda model: model.get_parameter("bottleneck.mu.weight"), "bottleneck.mu.weight"),
    ],
    ids=["a running statistic", "a weight"],
)
def test_what_turns_nan_between_a_step_and_a_save_is_not_saved(
    tmp_path, monkeypatch, spoiled, named
):
    step = Trainer.step

    def spoiling(self, batch, stage, batches):
        step(self, batch, stage, batches)
        if self.progress.step == 3:
            with torch.no_grad():
                spoiled(self.model)[0] = math.nan

    monkeypatch.setattr(Trainer, "step", spoiling)
    with pytest.raises(
        DivergenceError, match=f"{named} became NaN or infinite in epoch 0 at step 3"
    ):
        train_small(tmp_path, *BRIEF, "run.checkpoint_minutes=1e-9")
    run = tmp_path / "run" if (tmp_path / "run").exists() else tmp_path
    assert (run / "last").read_text().strip() == "0000-00000002"
    assert load_checkpoint(run / "last").notes == ()


def test_a_gradient_that_is_not_finite_stops_before_the_weights_move(tmp_path, monkeypatch):
    seen = {}
    backward = torch.autograd.backward

    def overflowing(loss):
        backward(loss)
        if len(seen) == 1:
            seen["model"].bottleneck.mu.weight.grad[0, 0] = math.inf
            seen["before"] = {k: v.clone() for k, v in seen["model"].state_dict().items()}

    step = Trainer.step

    def watched(self, *given):
        seen.setdefault("model", self.model)
        step(self, *given)

    monkeypatch.setattr(Trainer, "step", watched)
    monkeypatch.setattr(torch.autograd, "backward", overflowing)
    with pytest.raises(DivergenceError, match="the gradient became NaN or infinite"):
        train_small(tmp_path, *BRIEF)
    after = seen["model"].state_dict()
    assert all(torch.equal(after[name], value) for name, value in seen["before"].items())
