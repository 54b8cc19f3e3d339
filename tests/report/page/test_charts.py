import xml.etree.ElementTree as ET

import pytest

from latentvqa.report.diagnosis.curves import Chart, Curve, Mark
from latentvqa.report.page.charts import (
    COLOURS,
    MOST_TOLD,
    CurveStyle,
    findings_chart,
    findings_height,
    legend,
    line_chart,
    own_styles,
)
from latentvqa.report.page.svg import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH

LETTER = 6.0  # width of a letter of 11 pixels, on average
SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart, epochs=range(3), **others):
    return ET.fromstring(line_chart(chart, list(epochs), **others))


def of_class(root, tag, kind):
    return [one for one in root.iter(f"{SVG}{tag}") if kind in (one.get("class") or "").split()]


def test_a_curve_has_gaps_where_values_are_missing():
    chart = Chart("x", (Curve("a", (1.0, 2.0, None, 3.0)),))
    root = drawn(chart, range(4))
    assert len(root.findall(f"{SVG}polyline")) == 1
    assert len(root.findall(f"{SVG}circle")) == 1


def test_both_axes_are_labelled():
    texts = [one.text for one in of_class(drawn(Chart("Loss, nats", ())), "text", "label")]
    assert texts == ["epoch", "nats"]


def test_each_epoch_tells_its_values_where_the_pointer_rests():
    curves = (Curve("training", (1.0, 0.5, 0.25)), Curve("validation", (2.0, None, 0.75)))
    strips = of_class(drawn(Chart("Loss, nats", curves), (4, 5, 6)), "g", "at")
    told = [[one.text for one in strip.iter(f"{SVG}text")] for strip in strips]
    assert told == [
        ["epoch 4", "training", "1", "validation", "2"],
        ["epoch 5", "training", "0.5"],
        ["epoch 6", "training", "0.25", "validation", "0.75"],
    ]
    widths = [float(strip.find(f"{SVG}rect").get("width")) for strip in strips]
    assert sum(widths) == pytest.approx(WIDTH - LEFT - RIGHT, abs=0.5)  # no gap between them


def test_what_is_told_stays_within_the_picture_and_a_long_run_tells_some_epochs():
    name = "information the answers need"
    root = drawn(Chart("x", (Curve(name, tuple(map(float, range(1000)))),)), range(1000))
    boxes = of_class(root, "rect", "box")
    assert len(boxes) <= MOST_TOLD + 1
    for box in boxes:
        left = float(box.get("x"))
        assert left >= 0.0 and left + float(box.get("width")) <= WIDTH
    told = [one.text for one in of_class(root, "text", "told")]
    assert {"epoch 0", "epoch 999"} <= set(told)


def test_findings_are_marked_below_the_axis_and_never_across_the_curves():
    marks = [Mark("IN002", "collapse", "critical", 1, 2, is_open=True)]
    root = drawn(Chart("x", (Curve("a", (1.0, 2.0, 3.0)),)), marks=marks)
    (mark,) = of_class(root, "path", "start")
    assert float(mark.get("d").split()[1].split("l")[0]) >= HEIGHT - BOTTOM
    assert of_class(root, "line", "start") == []
    assert "IN002 collapse, from epoch 1" in [one.text for one in root.iter(f"{SVG}title")]


def test_texts_are_escaped():
    chart = Chart("<a> & b", (Curve("</text><script>", (1.0,)),))
    root = drawn(chart, range(1))
    assert root.get("aria-label") == "<a> & b"
    assert not any(element.tag.endswith("script") for element in root.iter())


def test_the_legend_tells_curves_apart_without_colour():
    curves = tuple(Curve(label, (1.0,)) for label in "abcd")
    shown = legend(Chart("x", curves))
    assert [one.label for one in shown] == list("abcd")
    assert len({one.style.dashes for one in shown}) == 4
    assert max(style.colour for style in own_styles(20)) < COLOURS


def test_a_line_and_a_band_are_named_beside_the_chart_and_never_across_its_curves():
    chart = Chart("x", (Curve("a", (1.0,)),), (0.0, 1.0, "usual"), ((1.0, "target"),))
    assert [(one.label, one.kind) for one in legend(chart)] == [
        ("a", "curve"),
        ("target", "line"),
        ("usual", "band"),
    ]
    root = drawn(chart, range(1))
    assert len(of_class(root, "rect", "band")) == len(of_class(root, "line", "mark-line")) == 1
    assert not {"usual", "target"} & {one.text for one in root.iter(f"{SVG}text")}


def test_a_style_that_is_given_is_taken():
    chart = Chart("x", (Curve("a", (1.0, 2.0)),))
    (curve,) = drawn(chart, range(2), styles=[CurveStyle(5, "1 3")]).findall(f"{SVG}polyline")
    assert curve.get("class") == "curve c5" and curve.get("stroke-dasharray") == "1 3"


@pytest.mark.parametrize("first", range(0, 14, 2))
def test_the_name_of_a_bar_stays_within_the_picture_and_above_its_bar(first):
    mark = Mark("IN007", "pinned", "info", first, 13, is_open=True)
    root = ET.fromstring(findings_chart([mark], list(range(14))))
    (name,) = of_class(root, "text", "bar-name")
    assert name.text == "IN007 KL at its free allowance (harmless)"
    x, length = float(name.get("x")), LETTER * len(name.text)
    low = x - length if name.get("text-anchor") == "end" else x
    assert low >= 0.0 and low + length <= WIDTH
    (bar,) = of_class(root, "rect", "finding-bar")
    assert float(name.get("y")) < float(bar.get("y"))
    assert float(root.get("viewBox").split()[3]) == findings_height([mark])
