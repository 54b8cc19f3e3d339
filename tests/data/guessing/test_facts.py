"""What a table and its images are like."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from latentvqa.data.guessing.facts import data_facts
from latentvqa.errors import DataError
from tests.small_runs import write_rows


def photograph(colours, size=(300, 200)):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    return image.convert("L").convert("RGB") if colours == "grey" else image


def drawing():
    image = Image.new("RGB", (300, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 20, 120, 120), fill="red", outline="black", width=3)
    draw.rectangle((150, 50, 250, 150), fill="blue")
    return image


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: photograph("colour"), True),
        (lambda: photograph("grey"), True),
        (drawing, False),
    ],
)
def test_photographs_are_told_from_drawings(tmp_path, make, expected):
    make().save(tmp_path / "a.png")
    table = write_rows(tmp_path / "t.csv", [("a.png", "what?", "x"), ("b.png", "who?", "y")])
    facts = data_facts(table, tmp_path, {})
    assert facts.are_photographs is expected
    assert (facts.side, facts.missing, facts.answers, facts.once) == (200, ("b.png",), 2, 1.0)


def test_a_table_without_any_of_its_images_is_refused(tmp_path):
    table = write_rows(tmp_path / "t.csv", [("a.png", "what?", "x")])
    with pytest.raises(DataError, match=r"none of its 1 image .* the first is a\.png"):
        data_facts(table, tmp_path, {})


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"junk")
    table = write_rows(tmp_path / "t.csv", [("a.png", "what?", "x")])
    facts = data_facts(table, tmp_path, {})
    assert facts.unreadable == ("a.png",) and facts.side is None
