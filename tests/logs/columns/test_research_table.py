import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import StagePlan
from tests.logs.conftest import RESEARCH, has_note, research_row, table

ROWS = [research_row(epoch) for epoch in range(6)]


def test_every_column_has_its_place(read):
    history = read("log.csv", table(ROWS))
    last = history.records[-1]
    assert (last.epoch, last.stage) == (5, "full")
    assert (last.train.kl_after, last.train.kl_raw, last.train.answer_loss) == (0.02, 0.09, 0.4)
    assert (last.train.orthogonality, last.train.teacher_loss) == (0.5, 0.5)
    assert (last.val.total_loss, last.val.kl_after, last.val.answer_loss) == (0.5, 0.5, 0.5)
    assert last.learning_rates == {"all": 0.5}
    assert (last.kl_weight, last.effective_kl_weight) == (15.0, 3.0)
    assert (last.best_value, last.patience_used) == (0.45, 1)
    assert history.header.stages == StagePlan(0, 4, 2)
    assert history.header.counts_epochs


def test_the_stages_are_numbers(read):
    rows = [research_row(epoch, stage=epoch + 1) for epoch in range(3)]
    stages = [record.stage for record in read("log.csv", table(rows)).records]
    assert stages == ["baseline", "warmup", "full"]


def test_the_convention_is_the_notes_and_said_to_be_assumed(read):
    history = read("log.csv", table(ROWS))
    kl = history.header.kl
    assert (kl.reduction, kl.tokens, kl.dims, kl.free_bits) == ("mean", 6, 256, 0.1)
    assert (kl.factor, kl.max_weight, kl.is_assumed, kl.unknown) == (0.2, 15.0, True, ())
    told = diagnose(history.header, history.records, notes=history.notes).notes
    assert any(note.startswith("Assumed") for note in told)


def test_the_weights_of_the_log_win_over_the_notes(read):
    rows = [research_row(e, kl_weight=10.0 * (e > 0), effective_kl_weight=5.0) for e in range(4)]
    history = read("log.csv", table(rows))
    assert (history.header.kl.factor, history.header.kl.max_weight) == (0.5, 10.0)
    assert has_note(history, "factor 0.5, max_weight 10")


def test_weights_of_zero_and_weights_that_still_rise_tell_nothing(read):
    zero = [research_row(e, kl_weight=0.0, effective_kl_weight=0.0) for e in range(4)]
    kl = read("log.csv", table(zero)).header.kl
    assert (kl.factor, kl.max_weight) == (0.2, 15.0)
    rising = [research_row(e, kl_weight=e, effective_kl_weight=0.1 * e) for e in range(4)]
    kl = read("log.csv", table(rising)).header.kl
    assert (kl.factor, kl.max_weight) == (0.1, 15.0)


def test_the_rate_follows_from_the_convention(read):
    record = read("log.csv", table(ROWS)).records[0]
    assert record.train.rate == pytest.approx(0.09 * 6 * 256)


def test_epochs_from_one_are_shifted_and_said(read):
    history = read("log.csv", table([research_row(epoch) for epoch in (1, 2, 3)]))
    assert [record.epoch for record in history.records] == [0, 1, 2]
    assert has_note(history, "counts its epochs from 1")


def test_order_is_irrelevant_and_extra_columns_are_noted(read):
    rows = [{"gpu": 1, **dict(reversed(row.items()))} for row in ROWS]
    history = read("log.txt", table(rows))
    assert history.records[-1].train.kl_raw == 0.09
    assert has_note(history, "Columns not used: gpu.")


def test_a_repeated_epoch_counts_as_it_was_logged_last(read):
    history = read("log.csv", table([*ROWS, research_row(2, train_kl_raw=0.7)]))
    assert [record.epoch for record in history.records] == list(range(6))
    assert history.records[2].train.kl_raw == 0.7
    assert has_note(history, "more than once, the last one counts: 2.")


def test_without_one_of_its_columns_it_is_a_table_like_any_other(read):
    rows = [{name: row[name] for name in RESEARCH if name != "answer_gap"} for row in ROWS]
    history = read("log.csv", table(rows))
    assert (history.records[-1].train.kl_after, history.records[-1].stage) == (0.02, "unknown")
    assert set(history.header.kl.unknown) == {"reduction", "tokens", "dims", "free_bits"}
