from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from latentvqa.engine.metrics.confidence import judge_confidence
from latentvqa.report.evaluation.confidence import (
    confidence_figure,
    confidence_lines,
    confidence_png,
)
from tests.report.drawn_texts import boxes, outside, overlapping


def found(rows=2000):
    draws = np.random.default_rng(0)
    confidences = draws.uniform(0.3, 1.0, rows)
    is_right = (draws.random(rows) < confidences**2).astype(float)
    return judge_confidence(confidences, is_right, np.arange(rows) // 5, 0.8)


def rendered(values, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(confidence_lines(values))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_every_line_fits_80_columns():
    text = rendered(found())
    assert len(text.splitlines()) == 8
    assert "logit temperature       0.8" in text
    assert "of 1 %" in text


def test_nothing_to_rank_is_said_in_words():
    sure = judge_confidence(np.array([0.9, 1.0]), np.ones(2), np.arange(2))
    assert "not defined" in rendered(sure)


def test_the_error_stands_beside_what_perfect_calibration_would_show():
    lines = rendered(found()).splitlines()
    assert [line.split("  ")[0].strip() or line.strip().split("  ")[0] for line in lines[:3]] == [
        "calibration error",
        "if it were perfect",
        "debiased",
    ]
    assert lines[1].endswith(", on as many rows")
    old = replace(found(), calibration_error_if_calibrated=None, calibration_error_debiased=None)
    assert len(rendered(old).splitlines()) == 6


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (1, "(1 wrong answer; an interval needs 20)"),
        (19, "(19 wrong answers; an interval needs 20)"),
        (383, "(17 right answers; an interval needs 20)"),
    ],
)
def test_too_few_of_a_kind_to_rank_are_named_in_place_of_an_interval(wrong, reason):
    is_right = np.arange(400) >= wrong
    values = judge_confidence(np.linspace(0.3, 0.9, 400), is_right, np.arange(400) // 4)
    assert f"AUROC of being right    1.000 {reason}" in rendered(values)


def test_the_picture_shows_both_charts():
    picture = Image.open(BytesIO(confidence_png(found())), formats=["PNG"])
    assert picture.size == (990, 429)
    ink = np.asarray(picture.convert("L")) < 250
    assert ink[:, :495].mean() > 0.02
    assert ink[:, 495:].mean() > 0.01


def judged(confidences, is_right):
    return judge_confidence(
        np.array(confidences), np.array(is_right, float), np.arange(len(is_right))
    )


@pytest.mark.parametrize(
    ("values", "charts", "words"),
    [
        (judged([0.9, 0.95, 0.99], [1, 1, 1]), 1, "all answers are right: nothing to rank"),
        (judged([0.2, 0.4], [0, 0]), 1, "all answers are wrong: nothing to rank"),
        (judged([0.7], [1]), 1, "1 answer, expected calibration error 30 %"),
        (judged([0.7, 0.8], [1, 0]), 2, "2 answers, expected calibration error"),
        (found(), 2, "2,000 answers, expected calibration error"),
    ],
    ids=["all right", "all wrong", "one row", "two rows", "many rows"],
)
def test_no_chart_is_empty_and_no_text_hidden(values, charts, words):
    figure = confidence_figure(values)
    assert any(words in text for text, _ in boxes(figure))
    assert overlapping(figure) == [] and outside(figure) == []
    assert len(figure.get_axes()) == charts
    for axis in figure.get_axes():
        (low, high), points = axis.get_ylim(), [line.get_ydata() for line in axis.lines]
        assert axis.lines and all(low < np.min(one) <= np.max(one) < high for one in points)


def test_dots_stay_below_the_title_where_all_is_right():
    figure = confidence_figure(judged([0.9, 0.95, 0.99], [1, 1, 1]))
    title = next(box for text, box in boxes(figure) if "expected calibration" in text)
    axis = figure.get_axes()[0]
    dots = axis.collections[0]
    radius = np.sqrt(dots.get_sizes().max() / np.pi) * figure.dpi / 72
    top = max(y for _, y in axis.transData.transform(dots.get_offsets())) + radius
    assert top < title.y0
