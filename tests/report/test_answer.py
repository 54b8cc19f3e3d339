import re

from latentvqa.report.answer import ShownMap, ShownMaps, answer_html

BAD = "<img src=x onerror=alert(1)>\"'&\x1b[31m"


def test_every_text_is_escaped():
    html = answer_html(question=BAD, answers=[(BAD, 0.5), (BAD, 0.25)], note=BAD)
    assert "<img" not in html and "\x1b" not in html
    # the given answer stands large and among the likely ones
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 5
    html = answer_html(question="q", answers=[("a", 0.5)], maps=ShownMaps([], BAD, BAD))
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 2


def test_a_bar_is_as_long_as_its_probability():
    html = answer_html(question="q", answers=[("yes", 1.0), ("no", 0.0006)])
    assert re.findall(r"width:([\d.]+)%;height", html) == ["100.0", "0.1"]
    assert "100.0 % sure" in html and ">0.1 %<" in html


def test_it_asks_for_nothing_from_outside_and_brings_no_script():
    maps = ShownMaps([ShownMap("image", "", b"one"), ShownMap("the token", "q 1 %", b"two")], "2")
    html = answer_html(question="q", answers=[("a", 0.5)], picture=b"one", maps=maps)
    assert "http" not in html and "<script" not in html and "<style" not in html
    assert html.count("data:image/jpeg;base64,") == 2  # the maps hold the picture


def test_maps_come_with_their_names_their_scale_and_the_notice_before_them():
    one = ShownMap("token 3", "question 2 %", b"one")
    html = answer_html(question="q", answers=[("a", 0.5)], maps=ShownMaps([one], "2.5", "Beware."))
    assert html.index("Where each latent token looked") < html.index("Beware.")
    assert html.index("Beware.") < html.index('<img alt="token 3"') < html.index("question 2 %")
    assert "2.5 times an even share" in html


def test_what_is_not_there_leaves_no_trace():
    html = answer_html(question="q", answers=[("a", 0.5)])
    assert "<img" not in html and "<small" not in html and "looked" not in html
    assert html.count("50.0 %") == 1  # no list of one
    html = answer_html(question="q", answers=[("a", 0.5)], maps=ShownMaps([], "2"))
    assert "border-left" not in html
