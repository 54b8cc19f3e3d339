import pytest

from latentvqa.engine.voting import Votes


def test_the_answer_with_most_probability_wins_not_the_most_frequent():
    votes = Votes(2, samples=3)
    votes.add(["red", "a"], [0.2, 1.0])
    votes.add(["red", "a"], [0.2, 1.0])
    votes.add(["blue", "a"], [0.9, 0.7])
    answers, confidences = votes.result()
    assert answers == ["blue", "a"]
    assert confidences == pytest.approx([0.3, 0.9])
