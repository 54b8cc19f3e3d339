from __future__ import annotations

from pathlib import Path

import pytest

from latentvqa.data.audit.spellings import words_in_two_spellings
from tests.data.audit.made_tables import read

TRAIN = [("a.png", "Tòa nhà màu gì?", "màu đỏ"), ("a.png", "what is it?", "hoa_hòe")]
LATER = [("a.png", "tầng mấy của TOÀ nhà?", "hai"), ("a.png", "khỏe không?", "hoa hoè")]


def test_words_are_compared_over_questions_answers_and_tables(tmp_path: Path) -> None:
    first, later = read(tmp_path, TRAIN), read(tmp_path, LATER, "u.csv")
    assert words_in_two_spellings([first], "") == {}
    assert words_in_two_spellings([later], "") == {}
    found = words_in_two_spellings([first, later], "")
    assert found == {"vi": [("hòe", "hoè"), ("tòa", "toà")]}


@pytest.mark.parametrize(("language", "count"), [("vi", 0), ("en", 1)])
def test_a_language_whose_spellings_are_one_has_no_second(
    tmp_path: Path, language: str, count: int
) -> None:
    tables = [read(tmp_path, TRAIN), read(tmp_path, LATER, "u.csv")]
    assert len(words_in_two_spellings(tables, language)) == count
