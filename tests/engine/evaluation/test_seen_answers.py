import shutil

import numpy as np
import pytest

from latentvqa.data.tables import read_questions
from latentvqa.engine.evaluation.seen_answers import seen_answers
from latentvqa.engine.runs.tables import read_training_answers, write_training_answers
from tests.small_runs import write_images, write_rows


@pytest.fixture
def table(tmp_path):
    answers = ["Red."] * 12 + ["blue"] * 3 + ["green"]
    rows = [(f"{place % 4}.png", "what?", answer) for place, answer in enumerate(answers)]
    return read_questions(
        write_rows(tmp_path / "t.csv", rows), images=write_images(tmp_path / "i", 4)
    )


def test_training_writes_down_how_often_it_sees_each_answer(finished):
    counts = read_training_answers(finished.run)
    assert counts == read_training_answers(finished.run / "best")
    assert set(counts) == {"yes", "no", "circle", "square", "1", "2", "3"}
    assert sum(counts.values()) == 288


def test_rows_are_banded_by_how_often_their_answer_was_trained_on(table, tmp_path):
    write_training_answers(tmp_path, table, "")
    rows = [("0.png", "what?", answer) for answer in ("red", "blue", "BLUE", "green", "pink")]
    tested = read_questions(write_rows(tmp_path / "v.csv", rows), images=tmp_path / "i")
    found = seen_answers(tested, np.array([1.0, 1.0, 0.0, 0.0, 0.0]), tmp_path, "")
    assert found.upper_bound == pytest.approx(4 / 5)
    assert {
        name: (band.n, band.value) for name, band in found.exact_match_by_times_trained_on.items()
    } == {
        "0": (1, 0.0),
        "1-9": (3, pytest.approx(1 / 3)),
        "10-99": (1, 1.0),
    }


def test_without_the_record_there_are_no_bands(finished, table, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    (run / "answers.json").unlink()
    assert seen_answers(table, np.zeros(len(table)), run, "") is None
