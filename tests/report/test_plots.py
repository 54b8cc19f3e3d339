import pytest
from PIL import Image

from latentvqa.core.records import EpochRecord
from latentvqa.report.plots import draw_curves
from tests.runs import HEADER, make_run


@pytest.mark.parametrize("epochs", [1, 18])
def test_curves_are_drawn_into_a_picture(tmp_path, epochs):
    draw_curves(HEADER, make_run(epochs), tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 800
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_curves(HEADER, [EpochRecord(0, "full")], tmp_path / "curves.png")
