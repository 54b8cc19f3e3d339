import math

import pytest

from tests.logs.conftest import has_note, json_lines, table

NAN = math.nan


def validated_every(period, epochs, *, train=1.0):
    rows = []
    for epoch in range(epochs):
        val = 2.0 if epoch % period == period - 1 else NAN
        rows.append({"epoch": epoch, "train_kl": train, "val_kl": val})
    return rows


def steps_with_validation_rows(epochs=3, steps=4):
    rows = []
    for epoch in range(epochs):
        rows += [
            {"epoch": epoch, "step": epoch * steps + step, "train_kl": 0.5, "val_kl": NAN}
            for step in range(steps)
        ]
        rows.append({**rows[-1], "train_kl": NAN, "val_kl": 0.4})
    return rows


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_nan_beside_numbers_of_its_epoch_is_missing(read, name):
    rows = steps_with_validation_rows()
    history = read(name, table(rows) if name.endswith("csv") else json_lines(rows))
    assert [record.train.kl_raw for record in history.records] == [0.5] * 3
    assert [record.val.kl_raw for record in history.records] == [0.4] * 3
    assert has_note(history, "read as missing: train_kl, val_kl")


def test_nan_that_stays_to_the_end_of_the_last_epoch_is_kept(read):
    rows = steps_with_validation_rows()
    rows += [{"epoch": 3, "step": 12 + s, "train_kl": 0.5 if s < 2 else NAN} for s in range(4)]
    history = read("log.jsonl", json_lines(rows))
    assert math.isnan(history.records[3].train.kl_raw)
    assert history.records[2].train.kl_raw == 0.5


def test_one_last_step_of_nan_is_kept_where_none_was_before(read):
    rows = [{"epoch": 0, "step": s, "kl": 0.5 if s < 9 else NAN} for s in range(10)]
    assert math.isnan(read("log.jsonl", json_lines(rows)).records[-1].train.kl_raw)


@pytest.mark.parametrize("epochs", [10, 13])  # 13: three epochs wait for their validation
def test_validation_every_n_epochs_is_missing_between(read, epochs):
    history = read("log.csv", table(validated_every(5, epochs)))
    measured = [r.epoch for r in history.records if r.val.kl_raw is not None]
    assert measured == [4, 9]
    assert has_note(history, f"Validation is NaN in {epochs - 2} epochs")


def test_validation_that_stays_nan_for_longer_is_kept(read):
    rows = validated_every(2, 6) + [
        {"epoch": e, "train_kl": 1.0, "val_kl": NAN} for e in range(6, 9)
    ]
    records = read("log.csv", table(rows)).records
    assert [record.val.kl_raw for record in records[:6]] == [None, 2.0] * 3
    assert all(math.isnan(record.val.kl_raw) for record in records[6:])


def test_validation_that_never_was_a_number_is_kept(read):
    records = read("log.csv", table(validated_every(9, 5))).records
    assert all(math.isnan(record.val.kl_raw) for record in records)


def test_validation_is_kept_where_training_is_nan_too(read):
    rows = validated_every(5, 10)
    rows[2]["train_kl"] = NAN
    records = read("log.csv", table(rows)).records
    assert math.isnan(records[2].val.kl_raw) and math.isnan(records[2].train.kl_raw)
    assert records[1].val.kl_raw is None
