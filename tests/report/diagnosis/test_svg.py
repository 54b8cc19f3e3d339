import xml.etree.ElementTree as ET

import pytest

from latentvqa.report.diagnosis.curves import Chart, Curve, Mark, free_row
from latentvqa.report.diagnosis.svg import (
    LEFT,
    RIGHT,
    WIDTH,
    findings_chart,
    findings_height,
    legend,
    line_chart,
)

LETTER = 6.0  # width of a letter of 11 pixels, on average
SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart, epochs=range(3)):
    return ET.fromstring(line_chart(chart, list(epochs)))


def test_a_curve_has_gaps_where_values_are_missing():
    chart = Chart("x", (Curve("a", (1.0, 2.0, None, 3.0)),))
    root = drawn(chart, range(4))
    assert len(root.findall(f"{SVG}polyline")) == 1
    assert len(root.findall(f"{SVG}circle")) == 1


def test_a_logarithmic_axis_has_powers_of_ten():
    chart = Chart("x", (Curve("a", (0.5, 20.0, 300.0)),), is_logarithmic=True)
    ticks = [text.text for text in drawn(chart).iter(f"{SVG}text") if text.get("class") == "tick"]
    assert {"0.1", "1", "10", "100", "1000"} <= set(ticks)


def test_texts_are_escaped():
    chart = Chart("<a> & b", (Curve("a", (1.0,)),), lines=((1.0, "</text><script>"),))
    root = drawn(chart, range(1))
    assert root.get("aria-label") == "<a> & b"
    assert not any(element.tag.endswith("script") for element in root.iter())


def test_the_legend_tells_curves_apart_without_colour():
    curves = tuple(Curve(label, (1.0,)) for label in "abcd")
    shown = legend(Chart("x", curves))
    assert [label for label, _ in shown] == list("abcd")
    assert len({dashes for _, dashes in shown}) == 4


@pytest.mark.parametrize("first", range(0, 14, 2))
def test_the_name_of_a_bar_stays_within_the_picture(first):
    mark = Mark("IN007", "pinned", "info", first, 13, is_open=True)
    root = ET.fromstring(findings_chart([mark], list(range(14))))
    (name,) = (text for text in root.iter(f"{SVG}text") if text.get("class") == "bar-name")
    assert name.text == "IN007 KL at its free allowance (harmless)"
    x, length = float(name.get("x")), LETTER * len(name.text)
    low = x - length if name.get("text-anchor") == "end" else x
    assert low >= 0.0 and low + length <= WIDTH
    assert float(root.get("viewBox").split()[3]) == findings_height([mark])


def test_labels_that_would_hide_each_other_take_rows():
    taken = []
    assert [free_row(taken, low, low + 10.0) for low in (LEFT, LEFT + 5, LEFT + 20)] == [0, 1, 0]
    assert WIDTH - RIGHT > LEFT
