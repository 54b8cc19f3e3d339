from io import BytesIO

import pytest
from PIL import Image

from latentvqa.core.records import EpochRecord
from latentvqa.report.diagnosis.png_file import curves_png
from tests.report.diagnosis.judged import SICK, judged
from tests.runs import make_run


@pytest.mark.parametrize("epochs", [1, 18])
@pytest.mark.parametrize("changes", [{}, SICK], ids=["remarks", "warnings"])
def test_curves_and_findings_are_drawn_into_a_picture(epochs, changes):
    content = curves_png(judged(make_run(epochs, **changes)))
    with Image.open(BytesIO(content)) as picture:
        assert picture.format == "PNG"
        assert picture.width > 800
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        curves_png(judged([EpochRecord(0, "full")]))
