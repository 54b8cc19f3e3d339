import warnings
import xml.etree.ElementTree as ET
from io import BytesIO

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from latentvqa.report.picture import png_of, svg_of, write_plain_numbers


def drawn(text):
    figure = Figure(figsize=(3, 1))
    FigureCanvasAgg(figure)
    figure.subplots().set_title(text)
    return png_of(figure)


@pytest.mark.parametrize("text", ["$x_{$", "$", "日本語", "con thuyền màu gì?", "\x07", "\udcff"])
def test_any_text_is_drawn_without_a_word(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = drawn(text)
    with Image.open(BytesIO(content)) as picture:
        assert picture.size == (300, 100)


def test_dollars_are_no_formula():
    assert drawn("$x$") != drawn("x")


def axis_drawn(scale, low, high):
    figure = Figure(figsize=(3, 3))
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.plot([0, 1], [low, high])
    axis.set_yscale(scale)
    write_plain_numbers(axis.yaxis)
    figure.canvas.draw()
    return [label.get_text() for label in axis.get_yticklabels()], axis


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [("log", 0.01, 1000.0), ("log", 1.3, 7.0), ("linear", 0.0, 3e5), ("linear", 0.0, 2e-3)],
)
def test_ticks_are_plain_numbers(scale, low, high):
    labels, axis = axis_drawn(scale, low, high)
    shown = [float(label) for label in labels if low <= float(label) <= high]
    assert len(shown) >= 2
    assert not any("$" in label for label in labels)
    assert axis.yaxis.get_offset_text().get_text() == ""


def test_a_vector_picture_keeps_texts_and_has_no_date():
    figure = Figure(figsize=(3, 1))
    FigureCanvasAgg(figure)
    figure.subplots().set_title("a <b> $x$\x07")
    content = svg_of(figure)
    assert b"a &lt;b&gt; $x$</text>" in content
    assert b"<dc:date>" not in content
    ET.fromstring(content)
