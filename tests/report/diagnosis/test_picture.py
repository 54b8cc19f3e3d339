import xml.etree.ElementTree as ET
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from latentvqa.core.figures import figure as number_text
from latentvqa.core.records import EpochRecord
from latentvqa.report.diagnosis.curves import charts
from latentvqa.report.diagnosis.picture import curves_figure, curves_png, curves_svg
from latentvqa.report.diagnosis.value_scale import ValueScale
from tests.report.diagnosis.judged import SICK, judged
from tests.report.drawn_texts import boxes, outside, overlapping
from tests.runs import HEADER, make_epoch, make_run
from tests.strategies import EPOCHS

SVG = "{http://www.w3.org/2000/svg}"


def texts(content):
    return [element.text for element in ET.fromstring(content).iter(f"{SVG}text")]


def restless(epoch):
    """A fault at every third epoch, another at every fourth."""
    changes = dict(SICK) if epoch % 3 == 0 else {}
    return changes | ({"effective_kl_weight": 0.0} if epoch % 4 == 0 else {})


RUNS = {
    "warnings": judged(make_run(18, **SICK)),
    "many faults": judged(make_run(30, restless, beta=0.004)),
    "one epoch": judged(make_run(1, **SICK)),
    "long": judged(make_run(200, **SICK)),
    "a long name": judged(make_run(3), name="a name without an end " * 20),
}


@pytest.mark.parametrize("epochs", [1, 18])
@pytest.mark.parametrize("changes", [{}, SICK], ids=["remarks", "warnings"])
def test_curves_and_findings_are_drawn_into_a_picture(epochs, changes):
    content = curves_png(judged(make_run(epochs, **changes)))
    with Image.open(BytesIO(content)) as picture:
        assert picture.format == "PNG"
        assert picture.width > 800
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50


def test_the_vector_picture_stands_alone_and_its_texts_are_texts():
    content = curves_svg(judged(make_run(20, beta=0.004, **SICK), name="a <b> & $x_{$"))
    shown = texts(content)
    for text in (
        "a <b> & $x_{$",
        "Answer loss, nats per token",
        "KL per latent token, nats",
        "KL not charged, %",
        "Rate, nats per example",
        "beta, price per nat of rate",
        "information the answers need",
        "Findings over the epochs",
        "rule-of-thumb band",
        "warmup",
        "full",
        "IN002 collapse",
        "before free bits",
    ):
        assert text in shown
    root = ET.fromstring(content)
    assert not any(element.tag.endswith("script") for element in root.iter())
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert all(link.startswith("#") for link in links)


@pytest.mark.parametrize("name", ["</text><script>x</script>", "\x1b[2J\x00\x07", "\udcff", "$$"])
def test_no_name_breaks_a_vector_picture(name):
    assert "script" not in {
        e.tag for e in ET.fromstring(curves_svg(judged(make_run(2), name=name))).iter()
    }


def test_the_same_run_gives_the_same_bytes():
    run, again = (judged(make_run(3, **SICK)) for _ in range(2))
    drawn = curves_svg(run)
    assert curves_svg(again) == drawn
    assert b"<dc:date>" not in drawn
    assert curves_png(again) == curves_png(run)


def test_both_kinds_of_picture_show_the_same():
    shown = texts(curves_svg(RUNS["warnings"]))
    drawn = [text for text, _ in boxes(curves_figure(RUNS["warnings"]))]
    assert set(shown) <= set(drawn)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_no_text_hides_another_or_leaves_the_picture(run):
    figure = curves_figure(run)
    assert overlapping(figure) == []
    assert outside(figure) == []


@pytest.mark.parametrize("low", [1e-3, 0.5, 200.0])
def test_a_logarithmic_axis_has_plain_numbers(low):
    run = judged([make_epoch(n, val={"rate": low * 10**n}) for n in range(5)])
    shown = [text for text, _ in boxes(curves_figure(run))]
    assert not any("$" in text or "mathdefault" in text for text in shown)
    assert "10" in shown


def test_the_picture_has_the_ticks_and_the_order_of_the_page_and_shows_what_is_below_zero():
    losing = [make_epoch(n, val={"answer_gain": -0.5 + 0.3 * n}) for n in range(4)]
    figure = curves_figure(judged(losing))
    drawn = charts(HEADER, losing)
    axes = figure.get_axes()
    assert [axis.get_title(loc="left") for axis in axes[: len(drawn)]] == [c.title for c in drawn]
    for axis, chart in zip(axes, drawn, strict=False):
        scale = ValueScale(chart)
        assert [label.get_text() for label in axis.get_yticklabels()] == (
            [number_text(tick) for tick in scale.ticks]
        )
        assert axis.get_ylabel() == scale.label(chart.unit)
    information = next(axis for axis in axes if axis.get_title(loc="left").startswith("Inform"))
    curve = next(line for line in information.get_lines() if line.get_label() == "learnt")
    heights = list(curve.get_ydata())
    assert heights == sorted(heights) and heights[0] < 0.0 < heights[-1]


def test_every_part_of_the_picture_shows_something():
    run = RUNS["warnings"]
    figure = curves_figure(run)
    expected = len(charts(HEADER, run.history.records)) + 1
    assert len(figure.get_axes()) == expected
    assert all(axis.has_data() and axis.axison for axis in figure.get_axes())


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        curves_png(judged([EpochRecord(0, "full")]))
    with pytest.raises(ValueError, match="nothing to draw"):
        curves_svg(judged([EpochRecord(0, "full")]))


@given(st.lists(EPOCHS, min_size=1, max_size=3, unique_by=lambda record: record.epoch))
@settings(max_examples=5)
def test_any_record_can_be_drawn(records):
    records = sorted(records, key=lambda record: record.epoch)
    try:
        content = curves_svg(judged(records))
    except ValueError as error:
        assert "nothing to draw" in str(error)
    else:
        ET.fromstring(content)
