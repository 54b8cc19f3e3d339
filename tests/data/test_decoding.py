"""Pictures in memory are prepared as files are."""

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.decoding import convert_picture, decode_image
from latentvqa.errors import DataError


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_an_opened_file_becomes_what_the_file_is_decoded_to(tmp_path, mode):
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 8
    picture = (
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(pixels).convert(mode)
    )
    path = tmp_path / "x.png"
    picture.save(path, exif=exif)
    expected = decode_image(path)
    with Image.open(path) as opened:
        found = convert_picture(opened)
    assert (found.mode, found.size) == ("RGB", (5, 7))
    assert np.array_equal(np.asarray(found), np.asarray(expected))


def test_pixels_become_a_picture_of_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    for view in (pixels, pixels[:, ::-1], np.asfortranarray(pixels)):
        assert np.array_equal(np.asarray(convert_picture(view)), view)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 4), (1, 5, 7, 3), (0, 7, 3), (5, 0, 3)], ids=str)
def test_pixels_of_another_shape_are_refused_with_it(shape):
    with pytest.raises(DataError, match=rf"shape \({', '.join(map(str, shape))}\)"):
        convert_picture(np.zeros(shape, np.uint8))


def test_too_many_pixels_and_cut_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="8 x 8 pixels, more than 63"):
        convert_picture(np.zeros((8, 8, 3), np.uint8), max_pixels=63)
    path = tmp_path / "x.png"
    noise = np.random.default_rng(0).integers(0, 255, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as opened, pytest.raises(DataError, match="cannot be decoded"):
        convert_picture(opened)
