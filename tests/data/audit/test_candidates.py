import numpy as np
import pytest

from latentvqa.data.audit.candidates import WINDOWS, candidate_pairs, window_hashes
from latentvqa.data.audit.fingerprints import fingerprint_of
from tests.data.audit.test_near_copies import cropped, photograph

COUNT = 30


@pytest.fixture(scope="module")
def images():
    return [photograph(seed) for seed in range(COUNT)]


def thumbnails(images):
    return np.stack([fingerprint_of(image).thumbnail for image in images])


def test_a_pair_is_named_once_and_never_with_itself(images):
    pairs, windows = candidate_pairs(thumbnails([*images, *images]))
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs) == len(windows)
    assert {(place, place + COUNT) for place in range(COUNT)} <= set(map(tuple, pairs.tolist()))


def test_a_crop_meets_the_window_that_it_was_cut_to(images):
    cut = [cropped(image, 0.105, 0, 0, 0) for image in images]  # off the left side
    pairs, windows = candidate_pairs(thumbnails([*images, *cut]))
    found = {
        tuple(pair): tuple(window)
        for pair, window in zip(pairs.tolist(), windows.tolist(), strict=True)
    }
    copies = [(place, place + COUNT) for place in range(COUNT)]
    met = [found[copy] for copy in copies if copy in found]
    assert len(met) >= 0.95 * COUNT
    whole, left = WINDOWS[[window for _, window in met]], WINDOWS[[window for window, _ in met]]
    # what is cut off the whole image, over what is cut off the crop
    assert np.median(left[:, 2] - whole[:, 2]) == pytest.approx(0.105)
    assert np.median(np.abs(left[:, [0, 1, 3]] - whole[:, [0, 1, 3]])) == 0.0


def test_hashes_ignore_what_all_images_share(images):
    outline = np.zeros((32, 32, 3), np.int64)
    outline[6:26, 6:26] = 90
    alike = np.clip(thumbnails(images) // 3 + outline, 0, 255).astype(np.uint8)
    hashes = window_hashes(np.concatenate([alike] * 20))[:COUNT, 0]
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None])
    assert np.median(bits[np.triu_indices(COUNT, 1)]) > 16


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_no_pair(images, count):
    pairs, windows = candidate_pairs(thumbnails(images)[:count])
    assert pairs.shape == windows.shape == (0, 2)
