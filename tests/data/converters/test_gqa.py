import json

import pytest

from latentvqa.data.converters.gqa import read_gqa
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError

ENTRY = {
    "semantic": [{"operation": "select"}],
    "imageId": "23",
    "question": "Is it red?",
    "answer": "no",
    "fullAnswer": "No, it is not.",
    "types": {"structural": "verify", "semantic": "attr"},
}


def written(path, content):
    path.write_text(json.dumps(content))
    return path


def test_a_question_keeps_its_id_and_structural_type(tmp_path):
    (row,) = read_gqa(written(tmp_path / "q.json", {"007": ENTRY}))
    assert row == ConvertedRow("23.jpg", "Is it red?", ("no",), "verify", "007")


@pytest.mark.parametrize("types", [None, {}, {"structural": None}, "verify"])
def test_without_a_structural_type_it_is_empty(types, tmp_path):
    (row,) = read_gqa(written(tmp_path / "q.json", {"1": {**ENTRY, "types": types}}))
    assert row.type == ""


def test_a_question_of_a_test_set_has_no_answer(tmp_path):
    (row,) = read_gqa(written(tmp_path / "q.json", {"1": {"imageId": 5, "question": "q?"}}))
    assert row == ConvertedRow("5.jpg", "q?", (), "", "1")


def test_the_files_of_a_folder_are_read_by_name_and_others_are_left(tmp_path):
    written(tmp_path / "b.json", {"2": ENTRY})
    written(tmp_path / "a.json", {"1": ENTRY})
    (tmp_path / "readme.txt").write_text("none")
    assert [row.id for row in read_gqa(tmp_path)] == ["1", "2"]


def test_an_id_of_two_files_is_named_with_the_second(tmp_path):
    written(tmp_path / "a.json", {"1": ENTRY})
    written(tmp_path / "b.json", {"1": ENTRY})
    with pytest.raises(DataError, match=r"b\.json: question 1 stands there twice"):
        read_gqa(tmp_path)


def test_what_is_no_file_of_the_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no \.json file in it"):
        read_gqa(tmp_path)
    with pytest.raises(DataError, match="no object of questions by id"):
        read_gqa(written(tmp_path / "q.json", [ENTRY]))
    with pytest.raises(DataError, match='question 1: no "imageId"'):
        read_gqa(written(tmp_path / "q.json", {"1": {"question": "q?"}}))
