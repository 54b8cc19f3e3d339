from io import BytesIO

import numpy as np
from PIL import Image
from rich.console import Console

from latentvqa.engine.metrics.confidence import judge_confidence
from latentvqa.report.evaluation.confidence import confidence_lines, confidence_png


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
    assert len(text.splitlines()) == 6
    assert "logit temperature       0.8" in text
    assert "of 1 %" in text


def test_nothing_to_rank_is_said_in_words():
    sure = judge_confidence(np.array([0.9, 1.0]), np.ones(2), np.arange(2))
    assert "not defined" in rendered(sure)


def test_the_picture_shows_both_charts():
    picture = Image.open(BytesIO(confidence_png(found())), formats=["PNG"])
    assert picture.size == (990, 429)
    ink = np.asarray(picture.convert("L")) < 250
    assert ink[:, :495].mean() > 0.02
    assert ink[:, 495:].mean() > 0.01
