from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image

from latentvqa.report.gallery.picture import LONGEST_SIDE, small_picture


def decoded(small):
    kind, _, content = small.address.partition(",")
    assert kind in ("data:image/jpeg;base64", "data:image/png;base64")
    return Image.open(BytesIO(b64decode(content, validate=True)))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2048, 1024), (512, 256)),
        ((300, 3000), (51, 512)),
        ((5000, 1), (512, 1)),
        ((512, 512), (512, 512)),
        ((40, 30), (40, 30)),
    ],
)
def test_a_picture_fits_and_a_small_one_is_not_enlarged(size, expected):
    picture = Image.new("RGB", size, (200, 40, 40))
    small = small_picture(picture)
    assert (small.width, small.height) == expected == decoded(small).size
    assert max(expected) <= LONGEST_SIDE
    assert picture.size == size


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16"])
def test_any_mode_becomes_colours(mode):
    assert decoded(small_picture(Image.new(mode, (30, 20)))).mode == "RGB"


def test_what_is_seen_in_it_stays():
    left_red = Image.new("RGB", (1024, 512), (20, 20, 220))
    left_red.paste((220, 20, 20), (0, 0, 512, 512))
    shown = decoded(small_picture(left_red)).convert("RGB")
    for x, colour in ((100, (220, 20, 20)), (400, (20, 20, 220))):
        found = shown.getpixel((x, 100))
        assert all(abs(one - other) < 12 for one, other in zip(found, colour, strict=True))


def test_a_small_drawing_stays_exact_and_a_small_photograph_stays_short():
    drawing = Image.new("RGB", (64, 64), (255, 250, 240))
    drawing.paste((220, 20, 20), (10, 10, 30, 30))
    small = small_picture(drawing)
    assert small.address.startswith("data:image/png;")
    assert decoded(small).convert("RGB").tobytes() == drawing.tobytes()
    noise = Image.effect_noise((64, 64), 80.0).convert("RGB")
    assert small_picture(noise).address.startswith("data:image/jpeg;")
