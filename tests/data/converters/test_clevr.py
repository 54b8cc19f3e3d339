import json

import pytest

from latentvqa.data.converters.clevr import read_clevr
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError

ENTRY = {"image_filename": "a.png", "question": "How many?", "answer": "0", "question_index": 0}


def read(tmp_path, *entries):
    path = tmp_path / "questions.json"
    path.write_text(json.dumps({"info": {}, "questions": entries}))
    return read_clevr(path)


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ([{"function": "scene"}, {"function": "count"}], "count"),
        ([{"type": "scene"}, {"type": "exist"}], "exist"),
        ([], ""),
        (None, ""),
        ("count", ""),
        (["count"], ""),
        ([{"inputs": []}], ""),
    ],
)
def test_the_last_function_of_the_program_is_the_type(program, kind, tmp_path):
    (row,) = read(tmp_path, {**ENTRY, "program": program})
    assert row == ConvertedRow("a.png", "How many?", ("0",), kind, "0")


def test_a_question_may_go_without_answer_and_index(tmp_path):
    bare = {key: ENTRY[key] for key in ("image_filename", "question")}
    assert read(tmp_path, bare, bare) == [ConvertedRow("a.png", "How many?", ())] * 2


@pytest.mark.parametrize("key", ["image_filename", "question"])
def test_an_entry_needs_image_and_question(key, tmp_path):
    entry = {**ENTRY, "question_index": 1}
    del entry[key]
    with pytest.raises(DataError, match=rf'questions\[1\]: no "{key}"'):
        read(tmp_path, ENTRY, entry)


def test_an_index_stands_once(tmp_path):
    with pytest.raises(DataError, match=r"questions\[1\]: question_index 0 stands there twice"):
        read(tmp_path, ENTRY, ENTRY)
