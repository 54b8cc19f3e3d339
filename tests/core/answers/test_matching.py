from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.answers.matching import (
    anls,
    exact_match,
    normalise_answer,
    normalised_references,
    score_answer,
    token_f1,
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red car", "red car"),
        ("The Two dogs", "2 dogs"),
        ("ten", "10"),
        ("the", "the"),  # nothing would be left
        ("none", "none"),  # a quirk of the challenge alone
        ("another", "another"),
    ],
)
def test_english_articles_and_number_words_go_where_the_language_is_english(text, expected):
    assert normalise_answer(text, "en") == expected


@pytest.mark.parametrize("text", ["an", "bình an", "a", "the", "một", "two"])
@pytest.mark.parametrize("language", ["", "vi", "fr"])
def test_no_other_language_loses_a_word(text, language):
    assert normalise_answer(text, language) == text


def test_composed_and_decomposed_vietnamese_are_one_answer():
    assert exact_match("ma\u0300u đo\u0309", ["màu đỏ"], "vi")
    assert token_f1("màu đo\u0309", ["màu đỏ"], "vi") == 1.0
    assert anls("màu đo\u0309", ["màu đỏ"]) == 1.0


def test_vietnamese_tones_are_one_answer_wherever_they_stand():
    for said in ("Tòa nhà.", "TOÀ NHÀ", "to\u0300a nhà"):
        assert exact_match(said, ["toà nhà"], "vi")
        assert exact_match("toà nhà", [said], "vi")
        assert not exact_match(said, ["toá nhà"], "vi")
        assert token_f1(said, ["một toà nhà"], "vi") == pytest.approx(0.8)
    assert not exact_match("tòa nhà", ["toà nhà"])
    assert not exact_match("quý", ["quí"], "vi")
    assert normalised_references([["tòa", "toà", "đỏ"]], "vi") == [("toà", "đỏ")]


def test_language_counts_in_both_measures():
    assert not exact_match("the cat", ["a cat"])
    assert exact_match("the cat", ["a cat"], "en")
    assert token_f1("the cat", ["cat"]) == pytest.approx(2 / 3)
    assert token_f1("the cat", ["cat"], "en") == 1.0


@pytest.mark.parametrize(
    ("candidate", "references", "expected"),
    [
        ("Paris", ["paris"], 1.0),
        ("pariss", ["paris"], 1 - 1 / 6),
        ("abcd", ["abxy"], 0.0),  # one half exactly
        ("abcde", ["abcxy"], 0.6),
        ("abcd", ["axyz"], 0.0),  # one quarter
        ("42", ["43", "421"], 1 - 1 / 3),
        ("", ["a"], 0.0),
        ("two  words", ["two words"], 1.0),
    ],
)
def test_anls_is_one_minus_the_edits_and_zero_up_to_a_half(candidate, references, expected):
    assert anls(candidate, references) == pytest.approx(expected)


@given(st.text(alphabet="abc", max_size=8), st.text(alphabet="abc", max_size=8))
def test_anls_is_symmetric_and_one_for_equal_texts_alone(one, other):
    assert anls(one, [other]) == anls(other, [one])
    assert (anls(one, [other]) == 1.0) == (one == other)

    # the recursive definition of the distance
    @cache
    def edits(i, j):
        if not i or not j:
            return i + j
        replaced = edits(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(edits(i - 1, j) + 1, edits(i, j - 1) + 1, replaced)

    longest = max(len(one), len(other), 1)
    similarity = 1 - edits(len(one), len(other)) / longest
    assert anls(one, [other]) == pytest.approx(similarity if similarity > 0.5 else 0.0)
