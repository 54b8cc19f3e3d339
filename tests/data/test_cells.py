from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.cells import AnswerCells, clean_cells, clean_text
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
    ("cell", "text"), [("cafe\u0301", "caf\u00e9"), (True, "true"), (False, "false"), (7, "7")]
)
def test_a_cell_becomes_text_as_a_person_would_write_it(cell: object, text: str) -> None:
    assert clean_text(cell) == text


def test_blank_cells_are_listed_with_their_rows() -> None:
    assert clean_cells(PATH, ["a", 1], ROWS[:2], "question") == ["a", "1"]
    with pytest.raises(DataError) as caught:
        clean_cells(PATH, ["a", " ", None], ROWS[:3], "question")
    assert "blank cells (2)" in str(caught.value)
    assert "row 3, column 'question'" in str(caught.value)
    assert "row 4, column 'question'" in str(caught.value)


@pytest.mark.parametrize("cell", [["a"], {"a": 1}, b"a", []])
def test_a_cell_of_several_values_is_not_called_blank(cell: object) -> None:
    with pytest.raises(DataError, match=r"cells that are not one text \(1\)"):
        clean_cells(PATH, ["a", cell], ROWS[:2], "question")


def references(
    *cells: object, is_list: bool = False, is_required: bool = True
) -> list[tuple[str, ...]]:
    reader = AnswerCells(PATH, "answers" if is_list else "answer", is_list=is_list)
    return reader.read(cells, ROWS[: len(cells)], is_required=is_required)


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


@pytest.mark.parametrize("cell", [["a", ""], ["a", None], '["a", " "]'])
def test_a_blank_among_several_answers_is_always_a_fault(cell: object) -> None:
    with pytest.raises(DataError, match=r"blank answers \(1\)"):
        references(cell, is_required=False)
