"""What the record of an epoch holds, and what it decides: patience and the best epoch."""

import math

import pytest

from latentvqa.engine.runs.checkpoint import load_checkpoint
from tests.small_runs import BRIEF, STEPS, train_small


def test_early_stopping_counts_full_stage_epochs_and_the_best_stays(tmp_path):
    changes = (*BRIEF, "stages.full=9", "early_stopping.patience=2", "early_stopping.min_delta=100")
    outcome = train_small(tmp_path, *changes).outcome
    assert outcome.is_stopped_early
    assert [record.stage for record in outcome.records] == ["warmup", "full", "full"]
    assert [record.patience_used for record in outcome.records] == [0, 1, 2]
    best = load_checkpoint(tmp_path)
    assert best.model["epoch"] == outcome.records[-1].best_epoch == 0
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 2


def test_patience_is_five_epochs_or_five_hundred_steps(finished):
    assert finished.outcome.header.patience == math.ceil(500 / STEPS)


def test_the_watched_measure_can_be_the_total(tmp_path):
    records = train_small(tmp_path, *BRIEF, "early_stopping.metric=total_loss").outcome.records
    assert records[-1].best_value == min(record.val.total_loss for record in records)


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(finished):
    losses = [record.val.answer_loss for record in finished.outcome.records]
    best = load_checkpoint(finished.run / "best")
    assert best.model["epoch"] == losses.index(min(losses))
    assert finished.outcome.records[-1].best_value == min(losses)


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
