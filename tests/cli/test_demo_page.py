import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import latentvqa
from latentvqa.cli.demo_page import answered_html
from tests.small_runs import ROOT

QUESTION = "what shape is the red object?"


@pytest.fixture(scope="module")
def model(finished):
    return latentvqa.load(finished.run)


@pytest.fixture(scope="module")
def picture(finished):
    return str(next((finished.run / "data" / "images").iterdir()))


def test_what_is_missing_is_asked_for(model, picture):
    assert "Choose a picture" in answered_html(model, None, QUESTION, 0)
    for question in ("", "  ", None):
        assert "Type a question" in answered_html(model, picture, question, 0)


def test_an_answer_comes_with_others_and_with_maps(model, picture):
    html = answered_html(model, picture, QUESTION, 0)
    expected = model.answer(picture, QUESTION, top=5)
    assert f">{expected.answer}</strong>" in html
    assert all(f"<span>{text or '(empty)'}</span>" in html for text, _ in expected.others)
    assert "Where each latent token looked" in html
    assert answered_html(model, picture, QUESTION, 2) != html


def test_a_fault_is_a_sentence_and_no_markup(model, tmp_path):
    path = tmp_path / "<b>.png"
    path.write_bytes(b"no picture")
    html = answered_html(model, str(path), QUESTION, 0)
    assert "not an image" in html and "<b>" not in html and "&lt;b&gt;" in html


def test_maps_that_are_the_same_for_other_questions_are_told(model, tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(np.full((48, 48, 3), 127, np.uint8)).save(path)
    known = ["what shape is the red object??"]  # read as the same words
    assert "hardly differ" in answered_html(model, str(path), QUESTION, 0, known)
    assert "hardly differ" not in answered_html(model, str(path), QUESTION, 0)


@pytest.mark.heavy
def test_the_page_asks_nobody_whether_it_may_be_counted_and_shows_copies(model, picture, tmp_path):
    """Without the filter of warnings, in a process of its own as the command runs."""
    program = (
        "import sys, latentvqa; from pathlib import Path; "
        "from latentvqa.cli.demo_page import build_page; "
        "page = build_page(latentvqa.load(sys.argv[1]), [(Path(sys.argv[2]), 'q?')], Path('.')); "
        "print(page.analytics_enabled, [one.name for one in Path('.').glob('example-*')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model.checkpoint), picture],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False ['example-0.png']\n", done.stderr
