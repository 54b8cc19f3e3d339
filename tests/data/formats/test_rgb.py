import struct

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.decoding import decode_image
from latentvqa.data.formats import rgb
from latentvqa.data.formats.rgb import to_rgb
from latentvqa.errors import DataError

UNSIGNED, SIGNED, FLOAT = 1, 2, 3


def tiff(path, levels, sample_format, photometric=1, order="<"):
    """Write grey levels of any type; Pillow writes only some."""
    data = levels.astype(levels.dtype.newbyteorder(order)).tobytes()
    height, width = levels.shape
    size = {256: width, 257: height, 258: levels.itemsize * 8, 259: 1, 262: photometric}
    tags = size | {273: 8, 277: 1, 278: height, 279: len(data), 339: sample_format}
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HI", 42, 8 + len(data))
    path.write_bytes(head + data + struct.pack(order + "H", len(tags)) + entries + bytes(4))
    return np.asarray(decode_image(path))[..., 0].tolist()


@pytest.mark.parametrize(
    ("levels", "sample_format", "shades"),
    [
        (np.array([[0, 16_384, 32_767]], np.int16), SIGNED, [[0, 128, 255]]),
        (np.array([[-1000, 0, 3000]], np.int16), SIGNED, [[0, 64, 255]]),
        (np.array([[0, 100, 200]], np.int32), SIGNED, [[0, 128, 255]]),
        (np.array([[0, 2**31, 2**32 - 1]], np.uint32), UNSIGNED, [[0, 128, 255]]),
        (np.array([[0, 50_000, 100_000]], np.uint32), UNSIGNED, [[0, 128, 255]]),
        (np.array([[0, 0.25, 0.5]], np.float32), FLOAT, [[0, 64, 128]]),
        (np.array([[0, 100, 255]], np.float32), FLOAT, [[0, 100, 255]]),
        (np.array([[-1, 0, 1]], np.float32), FLOAT, [[0, 128, 255]]),
        (np.array([[7, 7, 7]], np.int32), SIGNED, [[255] * 3]),
        (np.array([[0, 0, 0]], np.int32), SIGNED, [[0] * 3]),
        (np.array([[-7, -7, -7]], np.int32), SIGNED, [[0] * 3]),
        (np.array([[0, 32_896, 65_535]], np.uint16), UNSIGNED, [[0, 128, 255]]),
    ],
)
def test_deep_grey_is_scaled_by_a_range_that_shows_it(tmp_path, levels, sample_format, shades):
    assert tiff(tmp_path / "x.tif", levels, sample_format) == shades


def test_the_order_of_the_bytes_changes_nothing(tmp_path):
    for levels, kind in (
        (np.array([[-5, 5, 15]], np.int16), SIGNED),
        (np.array([[0, 300, 65_535]], np.uint16), UNSIGNED),
        (np.array([[0, 0.5, 2]], np.float32), FLOAT),
    ):
        small, big = (tiff(tmp_path / "x.tif", levels, kind, order=order) for order in "<>")
        assert small == big


def test_small_values_are_bright_where_the_file_says_so(tmp_path):
    levels = np.array([[0, 13_107, 65_535]], np.uint16)
    assert tiff(tmp_path / "x.tif", levels, UNSIGNED, photometric=0) == [[255, 204, 0]]
    levels = np.array([[0, 0.2, 1]], np.float32)
    assert tiff(tmp_path / "x.tif", levels, FLOAT, photometric=0) == [[255, 204, 0]]


def test_pixels_that_are_no_numbers_are_counted_and_refused(tmp_path):
    levels = np.array([[0, np.nan, np.inf]], np.float32)
    with pytest.raises(DataError, match="2 of its pixels are no finite numbers"):
        tiff(tmp_path / "x.tif", levels, FLOAT)


def test_a_transparent_shade_of_16_bits_is_white(tmp_path):
    Image.fromarray(np.array([[0, 7, 65_535]], np.uint16)).save(tmp_path / "x.png", transparency=0)
    assert np.asarray(decode_image(tmp_path / "x.png"))[0, :, 0].tolist() == [255, 0, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1", "I;16", "I", "F"])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_strips_make_the_same_picture_as_the_whole(monkeypatch, mode, factor):
    pixels = np.random.default_rng(0).integers(0, 255, (37, 23, 4), dtype=np.uint8)
    deep = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    image = (
        Image.fromarray(pixels[..., 0].astype(deep[mode]) * 257)
        if mode in deep
        else Image.fromarray(pixels).convert(mode)
    )
    whole = to_rgb(image, factor)
    monkeypatch.setattr(rgb, "_STRIP_PIXELS", 100)
    assert np.array_equal(np.asarray(to_rgb(image, factor)), np.asarray(whole))
    assert whole.size == (-(-23 // factor), -(-37 // factor))
    assert whole.mode == "RGB"
