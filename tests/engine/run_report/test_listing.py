"""Runs below a folder, read from their logs and evaluations."""

import shutil
from pathlib import Path

import pytest

from latentvqa.engine.run_report.listing import listed_runs
from latentvqa.errors import DataError

FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_an_evaluated_run_has_its_scores(tmp_path):
    run = tmp_path / "a"
    (run / "evaluation" / "val").mkdir(parents=True)
    shutil.copy(FIXTURES / "quickstart_metrics.jsonl", run / "metrics.jsonl")
    (found,) = listed_runs(tmp_path).runs
    assert (found.epochs, found.exact_match, found.other_image) == (8, None, None)
    assert found.verdict.startswith(("info", "warning", "critical", "ok"))


def test_runs_are_not_searched_for_very_deep(tmp_path):
    run = tmp_path / "1/2/3/4/5/6"
    run.mkdir(parents=True)
    shutil.copy(FIXTURES / "quickstart_metrics.jsonl", run / "metrics.jsonl")
    with pytest.raises(DataError, match="no run in it"):
        listed_runs(tmp_path)
    assert len(listed_runs(tmp_path / "1/2/3").runs) == 1
