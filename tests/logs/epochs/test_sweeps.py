import pytest

from latentvqa.errors import HistoryError
from tests.logs.conftest import json_lines, table


@pytest.mark.parametrize("column", ["run_id", "run", "trial", "Trial ID", "experiment", "exp_name"])
def test_a_table_of_runs_is_refused_with_the_reason(read, column):
    rows = [{column: f"a{n}", "beta": 4.0, "recon_loss": 0.1 * n, "kl_loss": 0.2} for n in range(3)]
    with pytest.raises(HistoryError, match=f"its rows are runs, .* {column} names another run"):
        read("log.csv", table(rows))


def test_a_run_that_names_itself_in_every_row_is_read(read):
    rows = [{"run": "a", "epoch": e, "recon": 1.0, "kl": 0.5} for e in range(3)]
    assert len(read("log.jsonl", json_lines(rows)).records) == 3


def test_columns_of_several_runs_are_refused(read):
    rows = [{"Step": s, "a - train/kl": 0.5, "b - train/kl": 0.7} for s in range(3)]
    with pytest.raises(HistoryError, match=r"several runs \(a, b\)"):
        read("log.csv", table(rows))
    one = [{"Step": s, "a - train/kl": 0.5, "a - train/kl__MAX": 0.7} for s in range(3)]
    assert read("one.csv", table(one)).records[0].train.kl_raw == 0.5
