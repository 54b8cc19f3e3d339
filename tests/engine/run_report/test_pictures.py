"""Images as the page of a run holds them."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from latentvqa.config import Data
from latentvqa.engine.run_report.pictures import picture_of, validation_images
from latentvqa.errors import DataError
from tests.small_runs import write_images


def test_a_small_image_stays_exact_and_a_large_one_is_shrunk(tmp_path):
    data = Data(train=tmp_path / "t.csv", images=write_images(tmp_path / "images", 1, 48))
    small = picture_of("0.png", data, 200)
    assert (small.media_type, small.size) == ("image/png", (48, 48))
    with Image.open(tmp_path / "images" / "0.png") as image:
        assert b64encode(image.tobytes()) == b64encode(Image.open(BytesIO(small.content)).tobytes())
    Image.new("RGB", (800, 400)).save(tmp_path / "images" / "1.png")
    large = picture_of("1.png", data, 200)
    assert (large.media_type, large.size) == ("image/jpeg", (200, 100))


def test_an_image_that_is_not_there_or_no_image_is_named(tmp_path):
    data = Data(train=tmp_path / "t.csv", images=write_images(tmp_path / "images", 1))
    with pytest.raises(DataError, match=r"7\.png"):
        picture_of("7.png", data, 200)
    (tmp_path / "images" / "8.png").write_text("no image")
    with pytest.raises(DataError, match=r"8\.png"):
        picture_of("8.png", data, 200)
    with pytest.raises(DataError, match="names no images folder"):
        picture_of("0.png", Data(), 200)


def test_the_validation_rows_have_their_own_folder_where_one_is_named():
    one, other = Path("one"), Path("other")
    table = Path("val.csv")
    assert validation_images(Data(images=one)) == one
    assert validation_images(Data(images=one, val=table)) == one
    assert validation_images(Data(images=one, val=table, val_images=other)) == other
