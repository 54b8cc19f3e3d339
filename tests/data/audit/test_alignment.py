import numpy as np
import pytest

from latentvqa.data.audit.alignment import residuals
from latentvqa.data.audit.fingerprints import SIDE

NO_CUT = np.zeros((1, 4), np.float32)


def smooth(seed):
    """A thumbnail of low frequencies, shape ``(1, 32, 32, 3)``."""
    draws = np.random.default_rng(seed)
    coarse = draws.uniform(0, 255, (1, 6, 6, 3))
    places = np.linspace(0, 5, SIDE)
    low = np.minimum(places.astype(int), 4)
    share = places - low
    for axis in (1, 2):
        shape = [1] * 4
        shape[axis] = SIDE
        weights = share.reshape(shape)
        taken = np.take(coarse, low, axis), np.take(coarse, low + 1, axis)
        coarse = taken[0] * (1 - weights) + taken[1] * weights
    return coarse.astype(np.uint8)


def test_an_image_leaves_nothing_over_itself():
    image = smooth(0)
    left = residuals(image, image, NO_CUT, NO_CUT)
    assert left.correlation[0] == pytest.approx(1.0, abs=1e-3)
    assert left.block[0] < 0.5
    assert left.overlap[0] == pytest.approx(1.0)


def test_a_shift_is_found_and_taken_out():
    image = smooth(1)
    moved = np.roll(image, 1, axis=2)
    left = residuals(image, moved, NO_CUT + 0.1, NO_CUT + 0.1)
    assert left.correlation[0] > 0.995
    other = residuals(image, smooth(2), NO_CUT + 0.1, NO_CUT + 0.1)
    assert other.correlation[0] < 0.9
    assert other.block[0] > 10 * left.block[0]


def test_another_colour_of_the_same_brightness_is_seen():
    image = smooth(3).astype(np.float32) * 0.5 + 60
    tinted = image + np.array([60.0, -30.6, 0.0])  # luma stays
    pair = image.astype(np.uint8), np.clip(tinted, 0, 255).astype(np.uint8)
    left = residuals(*pair, NO_CUT, NO_CUT)
    assert left.correlation[0] > 0.99
    assert left.block[0] > 40
