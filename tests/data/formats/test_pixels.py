import numpy as np
import pytest

from latentvqa.data.formats.pixels import image_of_array
from latentvqa.errors import DataError

DRAWS = np.random.default_rng(0)
RGB = DRAWS.integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("pixels", "mode"),
    [
        (RGB, "RGB"),
        (RGB[..., 0], "L"),
        (RGB[..., :1], "L"),
        (DRAWS.integers(0, 256, (5, 7, 4), dtype=np.uint8), "RGBA"),
        (DRAWS.integers(0, 65536, (5, 7), dtype=np.uint16), "I;16"),
        (RGB[::-1, ::2], "RGB"),  # parts of an array whose rows lie apart
    ],
)
def test_pixels_are_kept_as_they_are(pixels, mode):
    image = image_of_array(pixels)
    assert image.mode == mode
    assert image.size == pixels.shape[1::-1]
    np.testing.assert_array_equal(np.asarray(image), pixels.squeeze())


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_shares_become_the_pixels_that_they_were_made_of(kind):
    np.testing.assert_array_equal(np.asarray(image_of_array((RGB / 255).astype(kind))), RGB)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (RGB.transpose(2, 0, 1), r"Channels come last in an array: pixels.transpose\(1, 2, 0\)"),
        (RGB[None], "It holds several pictures"),
        (RGB[0, 0], r"shape \(3,\): expected"),
        (RGB[..., :2], r"shape \(5, 7, 2\): expected"),
        (RGB[:0], "there is no pixel"),
        (RGB.astype(float), "from 0 to 248.*divide them by their largest"),
        (RGB / 255 - 0.5, "look normalised"),
        (np.full((2, 2), np.nan), "NaN or infinite"),
        (RGB.astype(np.int64), "type int64: expected uint8"),
        (RGB.astype(np.uint16), "type uint16: expected uint8"),
        (RGB > 99, "type bool: expected uint8"),
    ],
)
def test_what_is_no_picture_or_could_be_two_is_refused_with_what_to_do(pixels, words):
    with pytest.raises(DataError, match=words):
        image_of_array(pixels)
