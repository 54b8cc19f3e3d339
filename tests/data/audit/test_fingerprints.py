import numpy as np
from PIL import Image

from latentvqa.data.audit.fingerprints import SIDE, fingerprint_of, is_detailed


def noise(seed, size=(80, 60)):
    draws = np.random.default_rng(seed)
    return Image.fromarray(draws.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def test_equal_pixels_have_equal_hashes_and_one_changed_level_has_not():
    image = noise(0)
    changed = np.array(image)
    changed[5, 7, 1] ^= 1
    first, again, other = map(fingerprint_of, (image, image.copy(), Image.fromarray(changed)))
    assert first.pixels == again.pixels != other.pixels
    np.testing.assert_array_equal(first.thumbnail, again.thumbnail)


def test_the_same_bytes_in_another_shape_are_another_image():
    image = noise(0, (80, 60))
    turned = Image.frombytes("RGB", (60, 80), image.tobytes())
    assert fingerprint_of(image).pixels != fingerprint_of(turned).pixels


def test_a_thumbnail_is_the_whole_image_squashed():
    image = Image.new("RGB", (200, 50), (10, 200, 30))
    thumbnail = fingerprint_of(image).thumbnail
    assert thumbnail.shape == (SIDE, SIDE, 3)
    assert (thumbnail == (10, 200, 30)).all()


def test_detail_in_most_places_makes_a_photograph():
    plain = np.full((SIDE, SIDE, 3), 240, np.uint8)
    drawn = plain.copy()
    drawn[8:16, 8:16] = (200, 30, 30)
    grainy = np.array(noise(1, (SIDE, SIDE)))
    assert is_detailed(np.stack([plain, drawn, grainy])).tolist() == [False, False, True]
