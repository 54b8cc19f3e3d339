"""Answers to validation questions that are made for a page."""

import shutil

import pytest

from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.run_report.fresh_answers import MOST_QUESTIONS, predicted_answers
from latentvqa.engine.run_report.samples import written_answers
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from tests.small_runs import Recorder


def test_fresh_answers_are_those_that_an_evaluation_writes(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    evaluate_run(EvaluationRequest(run), Observer())
    written = written_answers(run)
    fresh = predicted_answers(run, Observer())
    assert (fresh.checkpoint, fresh.questions) == (written.checkpoint, 32)
    for one, other in zip(fresh.rows, written.rows, strict=True):
        assert (one.image, one.question, one.answer) == (other.image, other.question, other.answer)
        assert (one.reference, one.is_correct) == (other.reference, other.is_correct)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_of_many_questions_some_are_answered_evenly_over_the_table(finished, monkeypatch):
    assert MOST_QUESTIONS == 500
    monkeypatch.setattr("latentvqa.engine.run_report.fresh_answers.MOST_QUESTIONS", 8)
    fresh = predicted_answers(finished.run, Observer())
    table = validation_table(finished.run)
    assert fresh.questions == 32
    expected = table.select(range(0, 32, 4))
    assert [row.question for row in fresh.rows] == list(expected.questions)
    assert [row.reference for row in fresh.rows] == [expected.reference(row) for row in range(8)]


def test_what_is_wrong_with_the_checkpoint_is_said(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    best = (run / "best").read_text().strip()
    (run / "checkpoints" / best / "model.safetensors").write_bytes(b"torn")
    recorder = Recorder()
    assert predicted_answers(run, recorder).checkpoint != best
    assert any(best in text for text in recorder.notices)
