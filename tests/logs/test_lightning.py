"""Rows as CSVLogger writes them: every metric a column, sorted, empty where not logged."""

import pytest

from latentvqa.logs import read_log
from tests.logs.conftest import has_note

METRICS = """\
epoch,lr-AdamW,step,train_kl_epoch,train_kl_step,train_loss_epoch,train_loss_step,val_kl,val_loss
,0.001,0,,,,,,
0,,49,,0.6,,2.0,,
0,,99,,0.4,,1.0,,
0,,99,,,,,0.45,1.2
0,,99,0.55,,1.6,,,
,0.0005,100,,,,,,
1,,149,,0.3,,0.9,,
1,,199,,0.1,,0.7,,
1,,199,,,,,0.25,1.1
"""


def test_sparse_rows_are_merged_per_epoch(read):
    records = read("metrics.csv", METRICS).records
    assert [record.epoch for record in records] == [0, 1]
    assert [record.val.kl_raw for record in records] == [0.45, 0.25]
    assert [record.val.total_loss for record in records] == [1.2, 1.1]


def test_the_mean_of_an_epoch_wins_over_that_of_its_logged_steps(read):
    records = read("metrics.csv", METRICS).records
    assert (records[0].train.kl_raw, records[0].train.total_loss) == (0.55, 1.6)


def test_an_epoch_that_was_cut_is_the_mean_of_its_steps(read):
    last = read("metrics.csv", METRICS).records[1].train
    assert (last.kl_raw, last.total_loss) == (pytest.approx(0.2), pytest.approx(0.8))


def test_rows_without_an_epoch_belong_to_the_one_before(read):
    records = read("metrics.csv", METRICS).records
    assert records[0].learning_rates == {"all": pytest.approx(0.00075)}


def test_the_folder_of_a_version_stands_for_its_metrics(tmp_path):
    folder = tmp_path / "lightning_logs" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(METRICS)
    history = read_log(folder)
    assert len(history.records) == 2
    assert history.header.name == "version_0/metrics.csv"
    assert has_note(history, "train_kl_epoch as train kl_raw")
