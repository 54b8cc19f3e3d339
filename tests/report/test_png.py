import warnings
from io import BytesIO

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from latentvqa.report.png import png_of


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
