import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.core.records import EpochRecord
from latentvqa.report.diagnosis.svg_file import curves_svg
from tests.report.diagnosis.judged import SICK, judged
from tests.runs import make_run
from tests.strategies import EPOCHS

SVG = "{http://www.w3.org/2000/svg}"


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def test_the_picture_stands_alone():
    content = curves_svg(judged(make_run(20, beta=0.004, **SICK), name="a <b>"))
    root = ET.fromstring(content)
    shown = texts(root)
    assert "a <b>" in shown
    for title in (
        "Answer loss, nats per token",
        "KL per latent token, nats",
        "Taken away by free bits, %",
        "Rate, nats per example",
        "beta, price per nat of rate",
        "Findings over the epochs",
    ):
        assert title in shown
    assert {"notes' band", "warmup", "full", "IN002 collapse", "before free bits"} <= set(shown)
    assert "var(" not in content and "script" not in content
    assert "http" not in content.replace("http://www.w3.org/2000/svg", "")


def test_everything_lies_within_the_picture():
    root = ET.fromstring(curves_svg(judged(make_run(200, **SICK))))
    width, height = float(root.get("width")), float(root.get("height"))
    for group in root.iter(f"{SVG}g"):
        x, y = map(float, group.get("transform")[10:-1].split(","))
        for text in group.iter(f"{SVG}text"):
            assert 0 <= x + float(text.get("x")) <= width
            assert 0 <= y + float(text.get("y")) <= height
        for bar in group.iter(f"{SVG}rect"):
            assert x + float(bar.get("x")) + float(bar.get("width")) <= width
            assert y + float(bar.get("y")) + float(bar.get("height")) <= height


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        curves_svg(judged([EpochRecord(0, "full")]))


@given(st.lists(EPOCHS, min_size=1, max_size=3, unique_by=lambda record: record.epoch))
@settings(max_examples=40, deadline=None)
def test_any_record_can_be_drawn(records):
    records = sorted(records, key=lambda record: record.epoch)
    try:
        content = curves_svg(judged(records))
    except ValueError as error:
        assert "nothing to draw" in str(error)
    else:
        ET.fromstring(content)
