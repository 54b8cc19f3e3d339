"""What is asked, row by row."""

import numpy as np
import pytest

from latentvqa.data.folders.pictures import PictureFile
from latentvqa.data.tables import read_questions
from latentvqa.engine.prediction.asking import (
    Asked,
    Asking,
    asking_of_table,
    parse_shard,
    read_answer_lines,
    read_question_lines,
)
from latentvqa.errors import ConfigError, DataError
from tests.small_runs import write_images, write_rows

PICTURES = [PictureFile(f"{number}.png", f"{number}.png") for number in range(5)]


def test_every_question_is_asked_about_one_picture_after_the_other():
    asking = Asking(PICTURES, ["a?", "b?"])
    assert len(asking) == 10
    assert [asking.row(place) for place in (0, 1, 2, 9)] == [
        Asked(0, 0),
        Asked(0, 1),
        Asked(1, 0),
        Asked(4, 1),
    ]


@pytest.mark.parametrize("of", [1, 2, 3, 5, 7])
def test_the_parts_are_all_rows_once_and_no_picture_is_in_two(of):
    asking = Asking(PICTURES, ["a?", "b?", "c?"])
    parts = [asking.shard(number, of) for number in range(1, of + 1)]
    assert [place for part in parts for place in part] == list(range(15))
    assert all(part.start % 3 == part.stop % 3 == 0 for part in parts)
    pairs = Asking(PICTURES, ["a?"], np.zeros((11, 2), dtype=np.int64))
    rows = [place for number in range(1, of + 1) for place in pairs.shard(number, of)]
    assert rows == list(range(11))


def test_a_table_is_asked_in_its_order_with_its_ids_and_answers(tmp_path):
    write_images(tmp_path / "images", 2)
    rows = [("1.png", "b?", "x7", "Two"), ("0.png", "a?", "y", ""), ("1.png", "b?", "", "no")]
    path = write_rows(tmp_path / "t.csv", rows, "image,question,id,answer")
    table = read_questions(path, images=tmp_path / "images", require_answers=False)
    asking = asking_of_table(table)
    assert list(asking.questions) == ["b?", "a?"]
    assert [asking.pictures[asking.row(place).picture].name for place in range(3)] == [
        "1.png",
        "0.png",
        "1.png",
    ]
    assert [asking.row(place).id for place in range(3)] == ["x7", "y", ""]
    assert asking.row(0).is_right("two.") and not asking.row(0).is_right("three")
    assert asking.row(1).is_right("anything") is None


@pytest.mark.parametrize("text", ["2", "0/3", "4/3", "a/b", "1/", "/2", "-1/3", "1/2/3"])
def test_a_part_is_written_as_a_fraction(text):
    with pytest.raises(ConfigError, match="write the second of eight parts as 2/8"):
        parse_shard(text)
    assert parse_shard("2/8") == (2, 8)


def test_questions_are_read_line_by_line(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("\ufeffwhat?\n\n  wo ist es?  \r\nlast", encoding="utf-8")
    assert read_question_lines(path) == ["what?", "wo ist es?", "last"]


def test_a_question_file_that_says_nothing_is_refused(tmp_path):
    path = tmp_path / "q.txt"
    with pytest.raises(DataError, match=r"q\.txt: no such file; name one"):
        read_question_lines(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_question_lines(path)
    path.write_text("\n \n")
    with pytest.raises(DataError, match="no question in it"):
        read_question_lines(path)


def test_answers_are_read_each_once(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("yes\nno\n\nyes\n")
    assert read_answer_lines(path) == ["yes", "no"]
    path.write_text("\n")
    with pytest.raises(DataError, match="no answer in it"):
        read_answer_lines(path)
