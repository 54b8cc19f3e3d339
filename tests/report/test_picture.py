import warnings
import xml.etree.ElementTree as ET
from io import BytesIO

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from latentvqa.report.picture import png_of, show_plainly, svg_of, write_percent


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


def test_a_chart_has_lines_across_it_and_no_frame():
    figure = Figure(figsize=(3, 3))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    show_plainly(axes)
    write_percent(axes.yaxis, (0.0, 0.125, 1.0))
    figure.canvas.draw()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0 %", "12.5 %", "100 %"]
    assert not any(side.get_visible() for side in axes.spines.values())
    assert all(line.get_visible() for line in axes.get_ygridlines())


def test_a_vector_picture_keeps_texts_and_has_no_date():
    figure = Figure(figsize=(3, 1))
    FigureCanvasAgg(figure)
    figure.subplots().set_title("a <b> $x$\x07")
    content = svg_of(figure)
    assert b"a &lt;b&gt; $x$</text>" in content
    assert b"<dc:date>" not in content
    ET.fromstring(content)
