import pytest

from tests.logs.conftest import json_lines, table


@pytest.mark.parametrize("names", [("tag", "value"), ("metric", "Value"), ("name", "scalar")])
def test_a_table_of_names_and_values_is_widened(read, names):
    rows = [
        {"step": step, names[0]: name, names[1]: value}
        for step in range(3)
        for name, value in (("train/kl", step + 0.5), ("train/recon", 2.0), ("val/kl", 9.0))
    ]
    records = read("log.csv", table(rows)).records
    assert [(r.train.kl_raw, r.train.answer_loss, r.val.kl_raw) for r in records] == [
        (step + 0.5, 2.0, 9.0) for step in range(3)
    ]


def test_a_row_with_measures_of_its_own_is_left_as_it_is(read):
    rows = [{"epoch": e, "name": "run", "kl": 0.5, "recon": 1.0} for e in range(2)]
    assert read("log.jsonl", json_lines(rows)).records[0].train.kl_raw == 0.5
