import json
import math

import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs import read_log
from tests.logs.conftest import has_note, json_lines


def trainer_state():
    """As the Trainer saves it: entries per logging step, evaluations between, a summary last."""
    history = []
    for epoch in range(3):
        for half, kl in ((0.5, 0.3), (1.0, 0.1)):
            step = 20 * epoch + int(20 * half)
            rate = 1e-4 * (1 - step / 60)
            entry = {"epoch": epoch + half, "grad_norm": 1.2, "learning_rate": rate}
            history.append({**entry, "loss": 1.0 - epoch / 10, "kl": kl, "step": step})
        evaluation = {"epoch": epoch + 1.0, "eval_loss": 1.1, "eval_kl": 0.25}
        history.append({**evaluation, "eval_runtime": 1.0, "step": 20 * epoch + 20})
    summary = {"epoch": 3.0, "step": 60, "total_flos": 9.9e13, "train_loss": 9.0}
    history.append({**summary, "train_runtime": 9.4857, "train_steps_per_second": 6.3})
    return {
        "best_metric": None,
        "epoch": 3.0,
        "eval_steps": 500,
        "global_step": 60,
        "is_hyper_param_search": False,
        "log_history": history,
        "logging_steps": 10,
        "max_steps": 60,
        "trial_params": None,
    }


def test_a_trainer_state_has_an_epoch_per_epoch(read):
    records = read("trainer_state.json", json.dumps(trainer_state(), indent=2)).records
    assert [record.epoch for record in records] == [0, 1, 2]
    assert [record.train.total_loss for record in records] == [1.0, 0.9, 0.8]
    assert [record.train.kl_raw for record in records] == [pytest.approx(0.2)] * 3
    assert [record.val.kl_raw for record in records] == [0.25] * 3


def test_a_torn_trainer_state_is_read_up_to_the_tear(read):
    text = json.dumps(trainer_state(), indent=2)
    history = read("trainer_state.json", text[: text.index('"eval_loss"', 900)])
    assert 1 <= len(history.records) < 3
    assert has_note(history, "the rest is left out")


def test_the_newest_checkpoint_of_an_output_folder_is_taken(tmp_path):
    for step in (20, 60, 100):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(json.dumps(trainer_state()))
    assert read_log(tmp_path).path.parent.name == "checkpoint-100"


def test_nested_objects_become_columns(read):
    rows = [{"epoch": e, "train": {"kl": {"raw": 0.2}}, "val": {"loss": 1.0}} for e in range(2)]
    record = read("log.jsonl", json_lines(rows)).records[1]
    assert (record.train.kl_raw, record.val.total_loss) == (0.2, 1.0)


def test_a_list_and_an_object_of_lists_are_read(read):
    rows = [{"epoch": 1, "kl": 0.1}, {"epoch": 2, "kl": 0.2}]
    assert len(read("a.json", json.dumps(rows, indent=1)).records) == 2


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_history_of_keras_is_read_in_either_layout(read, indent, is_wrapped):
    keras = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.9], "kl_loss": [0.3, 0.2]}
    whole = {"history": keras, "params": {"epochs": 2}, "epoch": [0, 1]} if is_wrapped else keras
    records = read("b.json", json.dumps(whole, indent=indent)).records
    assert [record.train.kl_raw for record in records] == [0.3, 0.2]
    assert [record.val.total_loss for record in records] == [1.1, 0.9]


def test_one_row_with_a_list_in_it_is_still_a_row(read):
    record = read("log.jsonl", '{"epoch": 0, "kl": 0.5, "per_layer": [1, 2, 3]}').records[0]
    assert record.train.kl_raw == 0.5


def test_numbers_that_json_cannot_hold_are_read(read):
    text = '{"epoch":0,"loss":NaN}\n{"epoch":1,"loss":1e999}\n{"epoch":2,"loss":1' + "0" * 5000
    records = read("log.jsonl", text + '}\n{"epoch":3,"lo').records
    assert math.isnan(records[0].train.total_loss)
    assert records[1].train.total_loss == records[2].train.total_loss == math.inf
    assert len(records) == 3


def test_lines_that_are_no_objects_are_counted_and_said(read):
    text = json_lines([{"epoch": 0, "kl": 0.1}]) + "oops\n" * 30 + '{"epoch": 1, "kl"'
    history = read("log.jsonl", text)
    assert len(history.records) == 1
    assert len(history.notes) == 10
    assert history.notes[-1].startswith("And 2")


def test_a_foreign_log_may_be_called_like_ours(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json_lines([{"epoch": 0, "kl_loss": 0.1}]))
    assert read_log(tmp_path).records[0].train.kl_raw == 0.1


def test_a_foreign_log_may_name_its_stages_like_ours(read):
    rows = [{"epoch": e, "stage": "warmup", "kl_raw": 0.1} for e in range(2)]
    record = read("log.jsonl", json_lines(rows)).records[1]
    assert (record.stage, record.train.kl_raw) == ("warmup", 0.1)


def test_our_own_records_are_known_under_any_name_and_without_a_header(read):
    rows = [{"kind": "epoch", "epoch": 0, "stage": "full", "train": {"kl_raw": 0.1}}]
    assert read("old.jsonl", json_lines(rows)).header.kl.is_assumed
    del rows[0]["kind"]
    assert read("old.jsonl", json_lines(rows)).header.kl.is_assumed


@pytest.mark.parametrize("content", ["{}", "[]", "[1, 2]", '{"a": 1}', '{"log_history": []}', "{"])
def test_json_without_a_measure_is_an_error(read, content):
    with pytest.raises(HistoryError, match=r"log\.json"):
        read("log.json", content)


@pytest.mark.parametrize("end", [", ", ",\n "])
def test_a_history_as_python_prints_it_is_read(read, end):
    lists = ["'loss': [3.5, nan, inf]", "'kl_loss': [np.float32(0.5), 0.25, 0.125]"]
    history = read("log.txt", "{" + end.join(lists) + "}\n")
    assert [record.train.kl_raw for record in history.records] == [0.5, 0.25, 0.125]
    assert math.isnan(history.records[1].train.total_loss)


def test_an_object_too_large_to_be_read_as_a_whole_is_refused(read):
    with pytest.raises(HistoryError, match="one object of more than 16 MiB"):
        read("log.json", '{"kl": [\n' + "1, " * 5_800_000)
