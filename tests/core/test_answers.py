from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.answers import (
    exact_match,
    normalise_answer,
    score_answer,
    token_f1,
    vqa_official,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Red\tCar. ", "red car"),
        ('"Yes!"', "yes"),
        ("«Да».", "да"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("cafe\u0301", "caf\u00e9"),
        ("はい。", "はい"),
        ("-5", "-5"),
        (".5", ".5"),
        ("50%", "50%"),
        ("C++", "c++"),
        ("3.5", "3.5"),
        ("...", "..."),
        ("?", "?"),
        ("None", "none"),
        ("01", "01"),
        ("a dog", "a dog"),
        ("", ""),
    ],
)
def test_an_answer_is_reduced_to_its_comparable_form(text: str, expected: str) -> None:
    assert normalise_answer(text) == expected


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing_and_keeps_something(text: str) -> None:
    once = normalise_answer(text)
    assert normalise_answer(once) == once
    assert bool(once) == bool(text.split())


def test_exact_match_takes_any_reference_and_keeps_articles() -> None:
    assert exact_match("Cat.", ["dog", "cat"])
    assert not exact_match("the cat", ["cat"])
    assert not exact_match("cat", [])


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        ("red car", "red car", 1.0),
        ("red", "red car", 2 / 3),
        ("red, car", "car red", 1.0),
        ("an", "an", 1.0),
        ("red red", "red", 2 / 3),
        ("blue", "red", 0.0),
        ("", "red", 0.0),
    ],
)
def test_token_f1_counts_shared_words(candidate: str, reference: str, expected: float) -> None:
    assert token_f1(candidate, [reference]) == pytest.approx(expected)
    assert token_f1(candidate, ["unrelated", reference]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("candidate", "reference", "grade"),
    [
        ("Red car.", "red car", 1.0),
        ("car", "a red car", 0.7),
        ("it is a red car", "red car", 0.7),
        ("car red big", "big red car", 0.5),
        ("red car", "car red", 0.5),
        ("a b c", "c d a b", 0.5),
        ("a c", "a b", 0.0),
        ("a b", "b c", 0.0),
        ("cart", "car", 0.0),
        ("blue", "red", 0.0),
        ("", "red", 0.0),
        ("  ", "", 0.0),
    ],
)
def test_the_teachers_grades_follow_their_rules(
    candidate: str, reference: str, grade: float
) -> None:
    assert score_answer(candidate, [reference]) == grade


def test_a_jaccard_index_of_exactly_one_half_is_not_enough() -> None:
    assert score_answer("a b x", ["b a y"]) == 0.0  # 2 of 4
    assert score_answer("a b c x", ["c b a"]) == 0.5  # 3 of 4


def test_the_best_grade_over_the_references_counts() -> None:
    assert score_answer("car", ["bus", "red car"]) == 0.7
    assert score_answer("car", []) == 0.0


@given(st.text(min_size=1, max_size=12).filter(str.strip), st.text(max_size=12))
def test_grades_are_bounded_and_symmetric_for_texts(candidate: str, reference: str) -> None:
    grade = score_answer(candidate, [reference])
    assert grade in (0.0, 0.5, 0.7, 1.0)
    assert score_answer(candidate, [candidate]) == 1.0
    if reference.strip():
        assert score_answer(reference, [candidate]) == grade


@pytest.mark.parametrize(("matching", "expected"), [(0, 0), (1, 30), (2, 60), (3, 90), (4, 100)])
def test_the_official_accuracy_leaves_one_of_ten_out(matching: int, expected: float) -> None:
    references = ["cat"] * matching + ["dog"] * (10 - matching)
    assert 100 * vqa_official("cat", references) == pytest.approx(expected)


@given(st.integers(3, 12), st.data())
def test_the_official_accuracy_is_the_mean_over_left_out_references(
    count: int, data: st.DataObject
) -> None:
    references = data.draw(st.lists(st.sampled_from("xyz"), min_size=count, max_size=count))
    by_definition = sum(
        min(1.0, (references[:i] + references[i + 1 :]).count("x") / 3) for i in range(count)
    )
    assert vqa_official("x", references) == pytest.approx(by_definition / count)


def test_the_official_accuracy_normalises_only_where_references_differ() -> None:
    assert vqa_official("Black.", ["black"] * 10) == 0.0
    assert vqa_official("Black.", ["black"] * 9 + ["dark"]) == 1.0


@pytest.mark.parametrize(
    ("candidate", "reference"),
    [
        ("Two", "2"),
        ("none", "0"),
        ("the dont", "don't"),
        ("couldnt've", "couldn't've"),
        ("yall'd've", "y'all'd've"),
        ("'ow'sat", "'ow's'at"),
        ("somebody'd", "somebodyd"),
        ("red/blue", "red blue"),
        ("red ,blue", "red blue"),
        ("1,000", "1000"),
        ("a/b 1,000", "ab 1000"),
        ("3.5", "3.5"),
        ("St. Pauls", "st pauls"),
        ("A", ""),
        ("\nred\t", "red"),
    ],
)
def test_the_official_rules_make_equal(candidate: str, reference: str) -> None:
    assert vqa_official(candidate, [reference] * 9 + ["other"]) == 1.0


def test_the_official_rules_remove_only_the_first_32_periods() -> None:
    assert vqa_official("x" + "." * 33, ["x."] * 5 + ["y"] * 5) == 0.0
    assert vqa_official("x" + "." * 33, ["x" + "." * 33] * 5 + ["y"] * 5) == 1.0
    assert vqa_official("x" + "." * 32, ["x"] * 5 + ["y"] * 5) == 1.0


def test_the_official_accuracy_refuses_too_few_references() -> None:
    with pytest.raises(ValueError, match="at least 3 references, got 2"):
        vqa_official("a", ["a", "a"])
