import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from latentvqa.report.diagnosis.curves import Chart, Curve
from latentvqa.report.page.svg import (
    BOTTOM,
    HEIGHT,
    TOP,
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


def test_a_logarithmic_axis_has_powers_of_ten_down_to_the_least_value():
    axis = axis_of(0.0005, 20.0, 300.0, is_logarithmic=True)
    assert axis.ticks[0] == pytest.approx(1e-4) and axis.ticks[-1] == pytest.approx(1e3)
    assert axis.scale_name == "log scale"
    heights = [axis.y(value) for value in (0.0005, 0.05, 5.0, 300.0)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] < HEIGHT - BOTTOM  # above the foot of the axis, not on it


def test_a_logarithmic_axis_shows_what_lies_at_and_below_zero():
    axis = axis_of(-2.0, 0.0, 0.3, 150.0, is_logarithmic=True)
    assert axis.ticks == [-10.0, -1.0, 0.0, 1.0, 10.0, 100.0, 1000.0]
    assert axis.scale_name == "log scale, linear near 0"
    heights = [axis.y(value) for value in (-2.0, 0.0, 0.3, 1.0, 150.0)]
    assert heights == sorted(heights, reverse=True)
    assert all(low - high > 10.0 for low, high in pairwise(heights))


def test_a_linear_axis_begins_at_zero_and_ends_above_the_largest_value():
    axis = axis_of(3.0, 7.9)
    assert axis.ticks[0] == 0.0 and axis.ticks[-1] >= 7.9
    assert axis.scale_name == ""
    assert axis.y(0.0) == HEIGHT - BOTTOM and axis.y(1e9) == TOP


@pytest.mark.parametrize("values", [(1e30, 1.0), (-1e30, 1e30), (0.0, 0.0), (1e-30, 2e-30)])
@pytest.mark.parametrize("is_logarithmic", [True, False])
def test_any_value_stands_within_the_picture(values, is_logarithmic):
    axis = axis_of(*values, is_logarithmic=is_logarithmic)
    for value in (*values, 0.0, -5.0):
        assert TOP <= axis.y(value) <= HEIGHT - BOTTOM
    assert len(axis.ticks) <= 12


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
