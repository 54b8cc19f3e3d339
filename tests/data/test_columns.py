from __future__ import annotations

from pathlib import Path

import pytest

from latentvqa.data.columns import find_columns
from latentvqa.errors import ConfigError, DataError
from tests.data.written_tables import HEADER, fault, read


def test_answers_go_before_answer_unless_the_mapping_says_otherwise(folder: Path) -> None:
    content = 'image,question,answer,answers\na.png,q,x,"[""y"", 2]"\n'
    assert read(folder, content).answers == [("y", "2")]
    assert read(folder, content, columns={"answer": "answer"}).answers == [("x",)]


def test_missing_columns_show_those_there_are_and_the_mapping_to_write(folder: Path) -> None:
    message = fault(folder, "img_id,Question,reply\na.png,q,a\n")
    assert "img_id, Question, reply" in message
    assert 'columns = { image = "img_id", question = "Question", answer = "reply" }' in message
    assert "'kind'" in fault(folder, HEADER + "a.png,q,a\n", columns={"type": "kind"})
    assert "--column image=img_id --column question=Question --column answer=reply" in message
    with pytest.raises(ConfigError, match="imag is not a column"):
        fault(folder, HEADER + "a.png,q,a\n", columns={"imag": "image"})


PATH = Path("t.csv")


def found(
    names: list[str], mapping: dict[str, str] | None = None, *, require_answers: bool = True
) -> dict[str, str]:
    return find_columns(PATH, names, mapping or {}, require_answers=require_answers)


def test_logical_columns_are_found_by_name_or_by_the_mapping_and_others_are_left() -> None:
    names = ["pic", "question", "answer", "kind", "note"]
    assert found(names, {"image": "pic", "type": "kind"}) == {
        "image": "pic",
        "question": "question",
        "answer": "answer",
        "type": "kind",
    }


@pytest.mark.parametrize(
    ("mapping", "kept"),
    [
        ({}, "answers"),
        ({"answer": "answer"}, "answer"),
        ({"answers": "answers"}, "answers"),
        ({"answer": "answer", "answers": "answers"}, "answers"),
    ],
)
def test_of_two_answer_columns_the_mapped_one_stays(mapping: dict[str, str], kept: str) -> None:
    columns = found(["image", "question", "answer", "answers"], mapping)
    assert {"answer", "answers"} & columns.keys() == {kept}


def test_answers_and_mapped_extras_may_be_missing_where_no_answers_are_needed() -> None:
    names = ["image", "question"]
    mapping = {"type": "kind", "id": "number"}
    assert found(names, mapping, require_answers=False) == {name: name for name in names}
    with pytest.raises(DataError, match="no column 'answer', 'kind', 'number'"):
        found(names, mapping)


def test_image_and_question_are_always_needed() -> None:
    with pytest.raises(DataError, match="no column 'image', 'question'"):
        found(["answer"], require_answers=False)


def test_the_mapping_to_write_takes_the_nearest_free_column_and_no_column_twice() -> None:
    with pytest.raises(DataError) as caught:
        found(["images", "my question", "x"])
    message = str(caught.value)
    assert 'image = "images", question = "my question", answer = "x"' in message
    assert "--column 'question=my question'" in message


def test_an_unknown_logical_column_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="photo is not a column of a question table; known are"):
        found(["image"], {"photo": "image"})


def test_the_hint_knows_columns_by_what_they_hold(folder):
    text = "label,caption_q,file_name\nyes,is it red?,a.png\nno,is it blue?,b.jpg\n"
    message = fault(folder, text)
    assert "--column image=file_name --column question=caption_q --column answer=label" in message
