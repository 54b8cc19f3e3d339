import xml.etree.ElementTree as ET

import pytest

from latentvqa.report.diagnosis.curves import Chart, Curve
from latentvqa.report.page.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    circle,
    framed,
    rectangle,
    text,
    upward,
    value_axis,
)


def axis_of(*values, is_logarithmic=False):
    return Axis(
        Chart("x", (Curve("a", values),), is_logarithmic=is_logarithmic), range(len(values))
    )


def test_the_axis_reaches_over_the_whole_height_and_epochs_over_the_whole_width():
    axis = axis_of(3.0, 7.9)
    assert axis.y(0.0) == HEIGHT - BOTTOM and axis.y(1e9) == TOP
    assert axis.x(-0.5) == LEFT and axis.x(1.5) == WIDTH - RIGHT


@pytest.mark.parametrize("values", [(1e30, 1.0), (-1e30, 1e30), (0.0, 0.0), (1e-30, 2e-30)])
@pytest.mark.parametrize("is_logarithmic", [True, False])
def test_any_value_stands_within_the_picture(values, is_logarithmic):
    axis = axis_of(*values, is_logarithmic=is_logarithmic)
    for value in (*values, 0.0, -5.0):
        assert TOP <= axis.y(value) <= HEIGHT - BOTTOM


def test_the_values_have_their_unit_and_its_scale():
    parts = "".join(value_axis(axis_of(0.1, 10.0, is_logarithmic=True), "nats"))
    assert ">nats, log scale</text>" in parts
    assert "0.1</text>" in parts


def test_texts_are_escaped():
    evil = "</text><script>"
    drawn = [text("a", 0, 0, evil), upward("a", 0, 0, evil), circle("a", 0, 0, 1, evil)]
    picture = framed("<a> & b", 9, "".join([*drawn, rectangle("a", 0, 0, 1, 1, evil)]))
    root = ET.fromstring(picture)
    assert root.get("aria-label") == "<a> & b"
    assert not any(element.tag.endswith("script") for element in root.iter())
    assert [element.text for element in root.iter() if element.text == evil] == [evil] * 4
