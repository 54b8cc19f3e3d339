"""Evaluations in a run folder, as its page reads them."""

import json
import shutil
from pathlib import Path

import pytest

from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.run_report.results import table_results
from latentvqa.engine.runtime.observer import Observer
from latentvqa.sums import replace_summed
from tests.small_runs import read_csv

KEPT = Path(__file__).parents[2] / "fixtures" / "run_log2_checkpoint2"


@pytest.fixture
def evaluated(finished, tmp_path):
    """A copy of the finished run, evaluated on its validation split and on another table."""
    run = Path(shutil.copytree(finished.run, tmp_path / "run"))
    evaluate_run(EvaluationRequest(run), Observer())
    table = run / "data" / "questions.csv"
    other = tmp_path / "all.csv"
    shutil.copy(table, other)
    evaluate_run(EvaluationRequest(run, data=other), Observer())
    return run


def found_in(run):
    notices = []
    return table_results(run, notices.append), notices


def test_the_validation_split_comes_first_and_is_what_the_page_begins_with(evaluated):
    results, notices = found_in(evaluated)
    assert notices == []
    assert [one.name for one in results] == ["validation split", "all"]
    assert [one.is_headline for one in results] == [True, False]
    rows = read_csv(evaluated / "evaluations" / "validation" / "predictions.csv")
    assert sum(map(sum, results[0].confusion.counts)) == len(rows) == results[0].found.questions


def test_an_evaluation_of_another_checkpoint_is_shown_but_not_as_the_score(evaluated):
    path = evaluated / "evaluations" / "validation" / "evaluation.json"
    held = json.loads(path.read_text(encoding="utf-8"))
    replace_summed({path: json.dumps({**held, "checkpoint": "0000-00000001"}).encode()})
    results, _ = found_in(evaluated)
    assert [one.is_headline for one in results] == [False, False]


def test_what_cannot_be_read_is_left_out_and_told(evaluated):
    folder = evaluated / "evaluations"
    replace_summed({folder / "all" / "evaluation.json": b'{"schema": 1, "checkpoint": 5}'})
    (folder / "validation" / "predictions.csv").write_text("damaged")
    results, notices = found_in(evaluated)
    assert [(one.name, one.confusion) for one in results] == [("validation split", None)]
    assert "predictions.csv" in notices[0]
    assert "holds no evaluation, and the page leaves it out" in notices[1]
    (folder / "validation" / "evaluation.json").write_text("damaged")
    results, notices = found_in(evaluated)
    assert results == [] and "the page leaves out an evaluation: " in notices[0]


def test_a_run_without_evaluations_has_no_results(finished):
    assert found_in(finished.run) == ([], [])


def test_the_evaluation_of_the_kept_run_is_read():
    (result,), notices = found_in(KEPT)
    assert notices == [] and result.is_headline
    assert result.found.questions == 6
