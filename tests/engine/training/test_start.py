import itertools
import math
import shutil
from pathlib import Path

import pytest
import torch

from latentvqa.config import config_from_toml, load_config
from latentvqa.core.record_codec import decode_epoch
from latentvqa.core.records import StagePlan
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import dry_run, resume, train
from latentvqa.errors import DataError, DivergenceError
from latentvqa.history import read_history
from tests.small_runs import (
    STEPS,
    Recorder,
    assert_same_run,
    records_of,
    small_config,
    spoil_weights,
    train_small,
)

BRIEF = ("data.scene_images=20", "stages.warmup=1", "stages.full=1")


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


def test_the_logged_weight_is_the_one_in_the_loss(finished, tmp_path):
    for record in finished.outcome.records:
        for split in (record.train, record.val):
            penalty = sum(
                (total - count * 0.1)
                for total, count, edge in zip(
                    split.kl_histogram.sums[1:],
                    split.kl_histogram.counts[1:],
                    split.kl_histogram.edges,
                    strict=True,
                )
                if edge >= 0.1
            ) / (split.rows * 6)
            assert split.total_loss == pytest.approx(
                split.answer_loss + record.effective_kl_weight * penalty + 0.1 * split.orthogonality
            )
    free = train_small(tmp_path, "kl.max_weight=0").outcome.records
    known = finished.outcome.records
    # without a price nothing changes while the weight is 0, and all from then on
    assert free[0].train.answer_loss == known[0].train.answer_loss
    assert free[1].train.answer_loss != known[1].train.answer_loss
    assert free[-1].val.rate > 1.2 * known[-1].val.rate


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


def test_early_stopping_counts_full_stage_epochs_and_the_best_stays(tmp_path):
    changes = (*BRIEF, "stages.full=9", "early_stopping.patience=2", "early_stopping.min_delta=100")
    outcome = train_small(tmp_path, *changes).outcome
    assert outcome.is_stopped_early
    assert [record.stage for record in outcome.records] == ["warmup", "full", "full"]
    assert [record.patience_used for record in outcome.records] == [0, 1, 2]
    best = load_checkpoint(tmp_path)
    assert best.model["epoch"] == outcome.records[-1].best_epoch == 0
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 2


def test_the_watched_measure_can_be_the_total(tmp_path):
    records = train_small(tmp_path, *BRIEF, "early_stopping.metric=total_loss").outcome.records
    assert records[-1].best_value == min(record.val.total_loss for record in records)


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(finished):
    losses = [record.val.answer_loss for record in finished.outcome.records]
    best = load_checkpoint(finished.run / "best")
    assert best.model["epoch"] == losses.index(min(losses))
    assert finished.outcome.records[-1].best_value == min(losses)


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


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_the_controls_train_without_a_kl(tmp_path, bottleneck):
    outcome = train_small(tmp_path, *BRIEF, f"latent.bottleneck={bottleneck}").outcome
    for record in outcome.records:
        for split in (record.train, record.val):
            assert (split.kl_raw, split.kl_after, split.rate, split.kl_share) == (None,) * 4
            assert split.information_bound is None
            assert split.answer_loss > 0
        assert record.effective_kl_weight == 0.0
    assert outcome.records[-1].teacher.compared > 0
    assert outcome.header.kl.bottleneck == bottleneck
    assert outcome.records[-1].train.answer_loss < outcome.records[0].train.answer_loss


def test_under_sum_the_kl_is_z_times_that_under_mean(tmp_path):
    one, other = (
        train_small(tmp_path / kind, *BRIEF, f"kl.reduction={kind}").outcome
        for kind in ("mean", "sum")
    )
    mean, total = one.records[0].val, other.records[0].val  # priced at 0: the same weights
    assert total.kl_raw == pytest.approx(16 * mean.kl_raw)
    assert total.rate == pytest.approx(mean.rate)
    assert other.header.kl.reduction == "sum"
    assert other.records[1].beta == pytest.approx(16 * one.records[1].beta)


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


def test_the_same_seed_gives_the_same_bits_and_another_one_others(finished, tmp_path):
    train_small(tmp_path / "again")
    assert_same_run(tmp_path / "again", finished.run)
    other = train_small(tmp_path / "other", "run.seed=1", "stages.full=0", "stages.warmup=1")
    assert records_of(other.run)[0]["val"] != records_of(finished.run)[0]["val"]


@pytest.mark.heavy
def test_loader_processes_do_not_change_the_run(finished, tmp_path):
    assert records_of(train_small(tmp_path, "loader.workers=2").run) == records_of(finished.run)


def test_the_log_holds_what_the_checkpoint_holds(finished):
    history = read_history(finished.run)
    assert history.notes == ()
    assert history.header.seed == 0
    assert len(history.header.data["train"]["sha256"]) == 64
    assert list(history.records) == finished.outcome.records
    record, faults = decode_epoch(load_checkpoint(finished.run / "last").model["record"])
    assert record == history.records[-1] and not faults


def test_an_epoch_record_is_complete(finished):
    for record in finished.outcome.records:
        for split in (record.train, record.val):
            assert len(split.kl_tokens) == 6
            assert sum(split.kl_histogram.counts) == split.rows * 6
            assert split.kl_histogram.counts[0] == split.kl_histogram.counts[-1] == 0
            assert 0 <= split.active_units <= 96
            assert split.answer_gain == pytest.approx(split.prior_nll - split.answer_nll)
            assert 0.0 <= split.exact_match <= 1.0
        val = record.val
        assert 0 < val.capacity <= min(val.information_bound, math.log(val.rows)) + 1e-9
        assert val.image_gain == pytest.approx(val.blind_nll - val.answer_nll)
        assert val.blind_nll <= val.prior_nll and val.image_gain_error > 0
        assert val.judged_rows == val.rows
        assert set(record.seconds) == set(record.questions_per_second) == {"train", "validation"}
        assert record.gradient_norm > 0 and record.peak_memory_mib > 0
        assert len(record.gates) > 0
        assert record.steps == STEPS


def test_questions_about_one_image_never_stand_on_both_sides(finished):
    lines = (finished.run / "split.csv").read_text().splitlines()[1:]
    sides = dict(line.split(",") for line in lines)
    assert len(sides) == len(lines) == 40
    assert sum(side == "val" for side in sides.values()) == 4


def test_the_plan_is_told_and_a_small_one_is_warned_about(finished, tmp_path):
    plan = finished.recorder.plans[0]
    assert (plan.train_questions, plan.val_questions, plan.steps) == (288, 32, 4 * STEPS)
    recorder = Recorder()
    dry_run(small_config("data.scenes=full", "data.scene_images=10"), tmp_path, recorder)
    assert any("only 12 optimizer steps are planned" in text for text in recorder.notices)


def test_a_dry_run_tells_the_plan_and_writes_nothing_but_scenes(tmp_path):
    recorder = Recorder()
    seconds = dry_run(small_config(), tmp_path, recorder)
    assert seconds > 0
    assert recorder.plans[0].effective_weight == pytest.approx(3.0)
    assert {entry.name for entry in tmp_path.iterdir()} == {"images", "questions.csv"}


@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("bottleneck.mu.weight", 1e38, "answer_loss"),
        ("bottleneck.mu.weight", 1e38, "kl_after"),
        # in training batches are normalised by their own statistics
        ("vision.backbone.bn1.running_mean", float("nan"), "the validation loss"),
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
    assert "last good checkpoint stays" in message
    assert (run / "last").read_text() == last
    assert load_checkpoint(run / "last").notes == ()
    assert len(records_of(run)) == 4


def test_a_failed_start_leaves_no_folder(tmp_path):
    with pytest.raises(DataError):
        train(small_config("data.train=none.csv", "data.images=none"), tmp_path / "run", Observer())
    assert not (tmp_path / "run").exists()


def test_a_failed_start_leaves_other_files_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError):
        train(small_config("data.train=none.csv", "data.images=none"), tmp_path, Observer())
    assert (tmp_path / "thesis.txt").exists()
