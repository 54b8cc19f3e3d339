import pytest

from tests.logs.conftest import has_note, table


def logged(read, rows, **options):
    return read("log.csv", table(rows), **options)


def test_of_a_repeated_epoch_the_last_counts_and_it_is_said(read):
    rows = [{"epoch": epoch, "kl_raw": kl} for epoch, kl in ((0, 1.0), (1, 2.0), (1, 3.0))]
    history = logged(read, rows)
    assert [record.train.kl_raw for record in history.records] == [1.0, 3.0]
    assert has_note(history, "logged more than once, the last one counts: 1")


def test_epochs_from_one_are_counted_from_zero(read):
    history = logged(read, [{"epoch": epoch, "kl_raw": 1.0} for epoch in (1, 2, 3)])
    assert [record.epoch for record in history.records] == [0, 1, 2]
    assert has_note(history, "counts its epochs from 1")


@pytest.mark.parametrize(
    ("word", "stage"),
    [("Baseline", "baseline"), ("warm-up", "warmup"), ("full", "full"), ("other", "unknown")],
)
def test_a_stage_is_known_by_its_words(read, word, stage):
    history = logged(read, [{"epoch": 0, "stage": word, "kl_raw": 1.0}])
    assert history.records[0].stage == stage


def test_a_number_is_a_stage_in_the_table_that_numbers_them_alone(read):
    history = logged(read, [{"epoch": 0, "stage": 2, "kl_raw": 1.0}])
    assert history.records[0].stage == "unknown"


def test_counts_are_whole_and_the_rate_of_learning_is_that_of_all(read):
    row = {"epoch": 0, "kl_raw": 1.0, "active_units": 12.0, "learning_rate": 0.001}
    (record,) = logged(read, [row]).records
    assert record.train.active_units == 12 and type(record.train.active_units) is int
    assert record.learning_rates == {"all": 0.001}
