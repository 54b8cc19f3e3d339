import pytest

from latentvqa.engine.metrics.exact_match import exact_matches


def test_any_reference_makes_an_answer_right_and_the_language_counts():
    answers, references = ["Red", "a dog", "no"], [("blue", "red"), ("dog",), ("yes",)]
    assert exact_matches(answers, references, "").tolist() == [1.0, 0.0, 0.0]
    assert exact_matches(answers, references, "en").tolist() == [1.0, 1.0, 0.0]


def test_an_answer_without_references_is_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="zip"):
        exact_matches(["red", "blue"], [("red",)], "")
