import json
import math

import pytest

from latentvqa.data.converters.clevr import read_clevr
from latentvqa.data.converters.easy_vqa import read_easy_vqa
from latentvqa.data.converters.gqa import read_gqa
from latentvqa.data.converters.rows import check_rows
from latentvqa.errors import DataError

CLEVR = {"image_filename": "a.png", "question": "q?", "answer": "x", "question_index": 7}
GQA = {"imageId": "1", "question": "q?", "answer": "x"}


def clevr(tmp_path, *questions):
    path = tmp_path / "CLEVR_val_questions.json"
    path.write_text(json.dumps({"questions": questions}))
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"question": " "}, '"question" is blank'),
        ({"answer": ""}, '"answer" is blank'),
        ({"answer": True}, "is True, not a text"),
        ({"answer": math.nan}, "is nan, not a text"),
        ({"question": math.inf}, "is inf, not a text"),
        ({"question": "a\ud800"}, "half of a character"),
        ({"question_index": 7}, "question_index 7 stands there twice"),
    ],
)
def test_what_no_table_can_hold_is_refused_with_its_place(changes, told, tmp_path):
    path = clevr(tmp_path, CLEVR, {**CLEVR, "question_index": 8, **changes})
    with pytest.raises(DataError) as caught:
        read_clevr(path)
    assert f"{path}: questions[1]: " in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "text"), [(3, "3"), (3.0, "3"), (0.5, "0.5"), (2**70, str(2**70)), ("NaN", "NaN")]
)
def test_a_number_is_the_answer_that_a_table_would_hold(answer, text, tmp_path):
    (row,) = read_clevr(clevr(tmp_path, {**CLEVR, "answer": answer}))
    assert row.answers == (text,)


def test_a_gqa_question_that_stands_twice_in_a_file_is_not_lost(tmp_path):
    path = tmp_path / "q.json"
    path.write_text(f'{{"05": {json.dumps(GQA)}, "05": {json.dumps(GQA)}}}')
    with pytest.raises(DataError, match='"05" stands there twice'):
        read_gqa(path)


@pytest.mark.parametrize("triple", [["q?", None, 0], ["q?", ["x"], 0], ["", "x", 0]])
def test_an_easy_vqa_triple_of_other_values_is_refused(triple, tmp_path):
    path = tmp_path / "questions.json"
    path.write_text(json.dumps([["q?", "x", 0], triple]))
    with pytest.raises(DataError, match="entry 1: its"):
        read_easy_vqa(path)


def test_questions_of_which_only_some_have_answers_are_no_table(tmp_path):
    path = clevr(tmp_path, CLEVR, {**CLEVR, "question_index": 8, "answer": None})
    with pytest.raises(DataError, match=r"no answer to 1 of 2 questions, .* number 1 \(8\)"):
        check_rows(path, read_clevr(path))


def test_no_question_is_nothing_to_convert(tmp_path):
    path = clevr(tmp_path)
    with pytest.raises(DataError, match=r"val_questions.json: nothing to convert"):
        check_rows(path, read_clevr(path))
