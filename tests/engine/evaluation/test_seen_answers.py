import shutil

import numpy as np
import pytest

from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import TextTokenizer
from latentvqa.engine.evaluation.seen_answers import sayable_rows, seen_answers
from latentvqa.engine.runs.tables import write_training_answers
from tests.small_runs import write_images, write_rows


@pytest.fixture
def table(tmp_path):
    answers = ["Red."] * 12 + ["blue"] * 3 + ["green"]
    rows = [(f"{place % 4}.png", "what?", answer) for place, answer in enumerate(answers)]
    return read_questions(
        write_rows(tmp_path / "t.csv", rows), images=write_images(tmp_path / "i", 4)
    )


def words(*texts, kind="word"):
    return TextTokenizer.train(
        texts, kind=kind, vocab_size=300, min_count=1, lowercase=True, split_punctuation=True
    )


def test_rows_are_banded_by_how_often_their_answer_was_trained_on(table, tmp_path):
    write_training_answers(tmp_path, table, "")
    rows = [("0.png", "what?", answer) for answer in ("red", "blue", "BLUE", "green", "pink")]
    tested = read_questions(write_rows(tmp_path / "v.csv", rows), images=tmp_path / "i")
    found = seen_answers(tested, np.array([1.0, 1.0, 0.0, 0.0, 0.0]), tmp_path, "", words("red"), 4)
    assert found.upper_bound == pytest.approx(1 / 5)
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
    assert seen_answers(table, np.zeros(len(table)), run, "", words("red"), 4) is None


def test_what_the_model_can_say_is_composed_of_known_words_and_short_enough():
    known = words("red car", "blue bus", "no.")
    references = [
        ("red bus",),  # never trained on as a whole
        ("Blue  car",),
        ("No",),
        ("green bus",),  # one word is not known
        ("green bus", "blue"),  # another reference is
        ("red car blue bus",),  # cut
    ]
    found = sayable_rows(references, known, 3, "")
    np.testing.assert_array_equal(found, [1, 1, 1, 0, 1, 0])
    np.testing.assert_array_equal(sayable_rows(references, known, 4, ""), [1, 1, 1, 0, 1, 1])
    bytes_known = words("red car", kind="bpe")
    np.testing.assert_array_equal(sayable_rows(references[3:4], bytes_known, 32, ""), [1])
