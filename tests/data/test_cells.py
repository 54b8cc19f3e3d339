from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.cells import AnswerCells, CellReader, clean_text
from latentvqa.errors import DataError
from tests.data.written_tables import read


def test_an_answer_that_merely_looks_like_a_list_is_text(folder: Path) -> None:
    table = read(folder, "image,question,answer\na.png,q,[sic]\na.png,q,[1]\n")
    assert table.targets == ["[sic]", "[1]"]


PATH = Path("t.csv")
ROWS = np.arange(2, 12)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=9))
def test_clean_text_is_clean(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned == cleaned.strip()
    assert clean_text(f"  {text}\n") == cleaned


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("cafe\u0301", "caf\u00e9"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        ("3.0", "3.0"),  # text stays as it is written
        ("y\u200bes\ufeff", "yes"),
    ],
)
def test_a_cell_becomes_text_as_a_person_would_write_it(cell: object, text: str) -> None:
    assert clean_text(cell) == text


def test_blank_cells_are_listed_with_their_rows() -> None:
    assert texts("a", 1) == ["a", "1"]
    with pytest.raises(DataError) as caught:
        texts("a", " ", None, float("nan"), "\u200b")
    assert "blank cells (4)" in str(caught.value)
    for row in (3, 4, 5, 6):
        assert f"row {row}, column 'question'" in str(caught.value)


@pytest.mark.parametrize(
    "cell", [["a"], {"a": 1}, b"a", [], float("inf"), "half of an emoji: \ud83d"]
)
def test_a_cell_that_is_not_one_text_is_not_called_blank(cell: object) -> None:
    with pytest.raises(DataError, match=r"cells that are not one text \(1\)"):
        texts("a", cell)


def test_a_missing_cell_is_empty_where_the_column_may_be_blank() -> None:
    reader = CellReader(PATH, ROWS[:3])
    assert reader.texts([None, float("nan"), 2.0], "id", may_be_blank=True) == ["", "", "2"]


def test_cells_whose_invisible_characters_go_are_counted_in_one_note() -> None:
    reader = CellReader(PATH, ROWS[:3])
    assert reader.texts(["what", "wh\u00adat", "\ufeffwhat"], "question") == ["what"] * 3
    answers = AnswerCells(reader, "answer", is_list=False)
    assert answers.read(["yes", "y\u200bes", "yes"], is_required=True) == [("yes",)] * 3
    (note,) = reader.notes()
    assert note == (
        "t.csv: characters that cannot be seen were dropped from 3 cells, "
        "first row 3, column 'question'"
    )


def test_the_name_of_a_file_keeps_a_character_that_nobody_sees() -> None:
    reader = CellReader(PATH, ROWS[:3])
    names = ["a\u200b.png", "e\u0301.png", "\u00e9.png"]  # the disk may write it either way
    assert reader.file_names(names, "image") == names
    assert reader.notes() == ()


def texts(*cells: object) -> list[str]:
    return CellReader(PATH, ROWS[: len(cells)]).texts(cells, "question")


def references(
    *cells: object, is_list: bool = False, is_required: bool = True
) -> list[tuple[str, ...]]:
    table = CellReader(PATH, ROWS[: len(cells)])
    reader = AnswerCells(table, "answers" if is_list else "answer", is_list=is_list)
    return reader.read(cells, is_required=is_required)


@pytest.mark.parametrize(
    ("cell", "single", "several"),
    [
        ('["a", "b"]', ("a", "b"), ("a", "b")),
        (["a", 2, True], ("a", "2", "true"), ("a", "2", "true")),
        (7, ("7",), ("7",)),
        ("[1, 2.50]", ("[1, 2.50]",), ("1", "2.50")),  # numbers as they are written
        ("[sic]", ("[sic]",), None),
        ("a", ("a",), None),
        ("[]", ("[]",), None),  # no answer where each row needs one
    ],
)
def test_a_list_is_read_as_one_where_the_column_says_so_or_all_are_texts(
    cell: object, single: tuple[str, ...], several: tuple[str, ...] | None
) -> None:
    assert references(cell) == [single]
    if several is None:
        with pytest.raises(DataError, match="row 2, column 'answers'"):
            references(cell, is_list=True)
    else:
        assert references(cell, is_list=True) == [several]


def test_absent_answers_are_a_fault_only_where_they_are_needed() -> None:
    assert references(None, "", "a", is_required=False) == [(), (), ("a",)]
    with pytest.raises(DataError, match=r"blank answers \(2\)"):
        references(None, "", "a")
    with pytest.raises(DataError, match=r"blank answers \(2\)"):
        references(float("nan"), "\u200b", "a")


@pytest.mark.parametrize(
    "cell",
    [
        "['yes', 'yeah']",
        "[ \"yes\", 'no' ]",
        "['yes' 'yeah']",
        "array(['yes', 'no'], dtype=object)",
        "('yes', 'no')",
        "{'yes'}",
        '["yes", 1]',
    ],
)
def test_a_list_as_python_prints_it_is_a_fault_that_says_what_to_write(cell: str) -> None:
    with pytest.raises(DataError) as caught:
        references("a", cell)
    assert "row 3, column 'answer'" in str(caught.value)
    assert 'in the column answers: ["a cat", "cat"]' in str(caught.value)


@pytest.mark.parametrize("text", ["(a)", "('no' or yes", "[sic]", "'yes'", "f('x', 1)", "{a}"])
def test_brackets_and_quotes_in_an_answer_are_no_list(text: str) -> None:
    assert references(text) == [(text,)]


@pytest.mark.parametrize(
    "cell", [["a", ""], ["a", None], '["a", " "]', '["a", NaN]', [float("nan")]]
)
def test_a_blank_among_several_answers_is_always_a_fault(cell: object) -> None:
    with pytest.raises(DataError, match=r"blank answers \(1\)"):
        references(cell, is_required=False)
