import re

from latentvqa.report.answer import answer_html

BAD = "<img src=x onerror=alert(1)>\"'&\x1b[31m"


def test_every_text_is_escaped():
    html = answer_html(question=BAD, answers=[(BAD, 0.5), (BAD, 0.25)], note=BAD)
    assert "<img" not in html and "\x1b" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 4


def test_a_bar_is_as_long_as_its_probability():
    html = answer_html(question="q", answers=[("yes", 1.0), ("no", 0.0006)])
    assert re.findall(r"width:([\d.]+)%;height", html) == ["100.0", "0.1"]
    assert "100 %" in html and "0.1 %" in html


def test_it_asks_for_nothing_from_outside_and_brings_no_script():
    html = answer_html(question="q", answers=[("a", 0.5)], picture=b"one", maps=b"two")
    assert "http" not in html and "<script" not in html and "<style" not in html
    assert html.count("data:image/jpeg;base64,") == 1


def test_what_is_not_there_leaves_no_trace():
    html = answer_html(question="q", answers=[("a", 0.5)])
    assert "<img" not in html and "<small" not in html
