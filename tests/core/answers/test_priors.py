from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.answers.priors import blind_prior_answers, blind_priors

QUESTIONS = ["colour?", "colour?", "Colour?", "round?", "round?", "alone?", "alone?"]
TYPES = ["c", "c", "c", "y", "y", "y", "y"]
ANSWERS = [("red",), ("Red.",), ("blue",), ("yes",), ("yes",), ("no",), ("no",)]
IMAGES = [0, 1, 2, 0, 1, 5, 5]


def test_each_prior_gives_the_most_frequent_answer_of_its_group() -> None:
    priors = blind_prior_answers(QUESTIONS, TYPES, ANSWERS, IMAGES)
    assert priors["global"] == ["red"] * 7
    assert priors["type"] == ["red"] * 3 + ["yes"] * 4
    assert priors["question_text"] == ["red"] * 3 + ["yes"] * 4


def test_a_text_with_one_image_takes_the_global_prior_without_types() -> None:
    priors = blind_prior_answers(QUESTIONS, None, ANSWERS, IMAGES)
    assert set(priors) == {"global", "question_text"}
    assert priors["question_text"][5:] == ["red", "red"]


def test_a_prior_scores_its_exact_match() -> None:
    assert blind_priors(QUESTIONS, TYPES, ANSWERS, IMAGES) == pytest.approx(
        {"global": 2 / 7, "type": 4 / 7, "question_text": 4 / 7}
    )


def test_several_references_count_once_per_row() -> None:
    answers = [("cat", "cat", "cat"), ("dog", "puppy"), ("dog",)]
    priors = blind_prior_answers(["q"] * 3, None, answers, [1, 2, 3])
    assert priors["global"] == ["dog"] * 3
    assert blind_priors(["q"] * 3, None, answers, [1, 2, 3])["global"] == pytest.approx(2 / 3)


def test_an_empty_table_has_no_priors_and_unequal_columns_are_refused() -> None:
    assert blind_priors([], None, [], []) == {}
    with pytest.raises(ValueError, match="differ in length"):
        blind_priors(["q"], None, [], [1])


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 3))))
def test_no_constant_beats_the_global_prior_and_finer_priors_are_no_worse(
    rows: list[tuple[str, str, int]],
) -> None:
    questions, answers = [row[0] for row in rows], [(row[1],) for row in rows]
    types = ["t" + question for question in questions]
    priors = blind_priors(questions, types, answers, [row[2] for row in rows])
    for constant in "xyz" if rows else "":
        assert priors["global"] >= answers.count((constant,)) / len(rows)
    if rows:
        assert priors["global"] <= priors["type"] <= priors["question_text"] <= 1.0
