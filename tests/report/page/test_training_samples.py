import xml.etree.ElementTree as ET

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.report.page.samples import Sample
from latentvqa.report.page.training_samples import (
    MIDDLE,
    MOST_BARS,
    MOST_STRETCHES,
    TrainingSample,
    confidence_bars,
    stretches,
    training_view,
)

SVG = "{http://www.w3.org/2000/svg}"


def answers(*said, step=1):
    """Answers to one question whose truth is yes, each with a confidence of a half."""
    return tuple(
        SampleAnswer(step * place, 0, "a.png", "q?", answer, 0.5, "yes", answer == "yes")
        for place, answer in enumerate(said)
    )


def sample(*said, step=1):
    return TrainingSample(Sample("q?", said[-1], "yes"), answers(*said, step=step))


def bars_of(svg):
    return list(ET.fromstring(svg).iter(f"{SVG}rect"))


def test_epochs_with_the_same_answer_are_one_line():
    found = stretches(answers("no", "no", "yes", "no", "no", step=5))
    assert [(one.when, one.answer, one.is_right) for one in found] == [
        ("0 to 5", "no", False),
        ("10", "yes", True),
        ("15 to 20", "no", False),
    ]


def test_a_bar_points_up_where_the_answer_was_right_and_is_as_long_as_it_was_sure():
    right, wrong = bars_of(confidence_bars(answers("yes", "no"), [0, 1]))
    assert (right.get("class"), wrong.get("class")) == ("said right", "said wrong")
    assert float(right.get("y")) == MIDDLE / 2 and float(wrong.get("y")) == MIDDLE
    assert float(right.get("height")) == float(wrong.get("height")) == MIDDLE / 2
    assert [one.find(f"{SVG}title").text for one in (right, wrong)] == [
        "epoch 0: yes, right, 50.0 % sure",
        "epoch 1: no, wrong, 50.0 % sure",
    ]


def test_bars_of_several_questions_stand_at_their_epochs():
    view = training_view([sample("yes", "no", "yes"), sample("no", "no", step=2)])
    assert (view["asked"], view["epochs"]) == ("2 questions", "3 epochs")
    assert (view["first"], view["last"], view["count"]) == (0, 2, 3)
    places = [[one.get("x") for one in bars_of(question["bars"])] for question in view["questions"]]
    assert places[1] == [places[0][0], places[0][2]]


def test_the_latest_answer_comes_first():
    (question,) = training_view([sample("no", "yes")])["questions"]
    assert [one.answer for one in question["stretches"]] == ["yes", "no"]
    assert question["left_out"] == 0


def test_a_long_run_keeps_its_latest_changes_and_bars_taken_evenly():
    said = [("yes", "no")[place % 2] for place in range(1000)]
    view = training_view([sample(*said)])
    (question,) = view["questions"]
    assert view["count"] == len(bars_of(question["bars"])) == MOST_BARS
    assert view["last"] == 999
    assert len(question["stretches"]) == MOST_STRETCHES
    assert question["stretches"][0].when == "999"
    assert question["left_out"] == 1000 - MOST_STRETCHES


def test_without_questions_there_is_nothing_to_show():
    assert training_view([]) is None
