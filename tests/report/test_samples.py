"""Sample answers as lines that fit."""

from dataclasses import replace

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.report.samples import sample_lines

SAMPLE = SampleAnswer(0, 17, "a.png", "what colour is it?", "red", 0.934, "blue", False)


def test_a_line_says_question_answer_confidence_and_what_is_right():
    lines = sample_lines([SAMPLE, replace(SAMPLE, answer="blue", is_right=True)], 4, 80)
    assert lines == [
        "what colour is it? -> red 0.93, not blue",
        "what colour is it? -> blue 0.93, right",
    ]


def test_few_are_taken_evenly_and_an_empty_answer_is_said():
    samples = [replace(SAMPLE, question=f"{place}?", answer="") for place in range(8)]
    assert [line.split()[0] for line in sample_lines(samples, 4, 80)] == ["0?", "2?", "4?", "6?"]
    assert "-> (nothing) 0.93" in sample_lines(samples, 1, 80)[0]


def test_a_long_question_is_cut_and_what_steers_a_terminal_is_shown():
    long = replace(SAMPLE, question="why " * 40, answer="a\x1b[2J\nb")
    [line] = sample_lines([long], 1, 60)
    assert len(line) <= 60 and "... -> a\\x1b[2J b 0.93" in line
