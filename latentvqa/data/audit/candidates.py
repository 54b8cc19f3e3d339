"""Which pairs among many images may be copies of each other, without comparing all pairs.

Each image has 64-bit hashes of the whole and of windows of it, so that a crop of one
side meets the window that it was cut to. Pairs that agree in three of eight bytes
of any two hashes are looked at closer.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from latentvqa.data.audit.alignment import LUMA
from latentvqa.data.audit.fingerprints import SIDE, Thumbnails

_CUT = 0.105  # of a side; between 10 % of the whole and 10 % of what is left by 10 %
_AXIS = [(0.0, 0.0), (_CUT, 0.0), (0.0, _CUT), (_CUT / 2, _CUT / 2), (_CUT, _CUT)]
# cut off top, bottom, left and right
WINDOWS = np.array([(*y, *x) for y, x in product(_AXIS, _AXIS)], np.float32)
_FREQUENCIES = 8  # an axis
_BYTES = 8  # of a hash
_AGREEING = 3  # of them
_FURTHEST = 10  # bits of 64
_NEIGHBOURS = 32  # compared with each image among those that share bytes
_SAMPLE = 4_000  # images that tell what is common to all
_PRIOR = 200  # images' weight of the assumption that nothing is
_CHUNK = 4_096


def candidate_pairs(thumbnails: Thumbnails) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find pairs of images that may show the same.

    Args:
        thumbnails: shape ``(n, 32, 32, 3)``.

    Returns:
        Both images of each pair, and the window of each in which they agree
        best; of shape ``(pairs, 2)`` each.
    """
    kept, windows = [np.empty((0, 2), np.int64)], [np.empty((0, 2), np.int64)]
    if len(thumbnails) < 2:
        return kept[0], windows[0]
    hashes = window_hashes(thumbnails)
    images = np.stack(np.divmod(_meeting(hashes), len(hashes)), axis=1)
    for start in range(0, len(images), _CHUNK):
        some = images[start : start + _CHUNK]
        first, second = hashes[some[:, 0]], hashes[some[:, 1]]
        bits = np.bitwise_count(first[:, :, None] ^ second[:, None, :]).reshape(len(some), -1)
        best = bits.argmin(axis=1)
        is_near = bits[np.arange(len(some)), best] <= _FURTHEST
        kept.append(some[is_near])
        windows.append(np.stack(np.divmod(best[is_near], len(WINDOWS)), axis=1))
    return np.concatenate(kept), np.concatenate(windows)


def window_hashes(thumbnails: Thumbnails) -> NDArray[np.uint64]:
    """Perceptual hashes of every window, shape ``(n, windows)``.

    A bit says whether a frequency of the brightness is stronger than it is in
    most of these images; among few images, than nothing. What all images share,
    as radiographs do the outline of a chest, thus decides no bit.
    """
    sample = _spectra(thumbnails[:: len(thumbnails) // _SAMPLE + 1])
    weight = len(thumbnails) / (len(thumbnails) + _PRIOR)
    usual = np.median(sample.reshape(-1, _FREQUENCIES**2), axis=0) * weight
    hashes = np.empty((len(thumbnails), len(WINDOWS)), np.uint64)
    for start in range(0, len(thumbnails), _CHUNK):
        bits = _spectra(thumbnails[start : start + _CHUNK]) > usual
        hashes[start : start + _CHUNK] = np.packbits(bits, axis=-1).view(np.uint64)[..., 0]
    return hashes


def _spectra(thumbnails: Thumbnails) -> NDArray[np.float32]:
    """Low frequencies of all windows at unit length, ``(n, windows, 64)``; the mean is 0."""
    axis = np.concatenate([_transform(*cuts) for cuts in _AXIS])
    found = axis @ (thumbnails @ LUMA) @ axis.T
    count = len(_AXIS)
    found = found.reshape(len(found), count, _FREQUENCIES, count, _FREQUENCIES).swapaxes(2, 3)
    spectra: NDArray[np.float32] = found.reshape(len(found), count**2, -1)
    spectra[..., 0] = 0.0
    spectra /= np.linalg.norm(spectra, axis=-1, keepdims=True) + 1e-6
    return spectra


def _transform(low: float, high: float) -> NDArray[np.float32]:
    """Cosine transform of what is left of an axis, ``(frequencies, 32)``."""
    place = (low + (np.arange(SIDE) + 0.5) / SIDE * (1 - low - high)) * SIDE - 0.5
    weights = np.clip(1 - np.abs(np.arange(SIDE) - place[:, None]), 0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    transform: NDArray[np.float32] = dct(weights, axis=0)[:_FREQUENCIES].astype(np.float32)
    return transform


def _meeting(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """``first * n + second`` of images any two hashes of which agree in enough bytes."""
    count, windows = hashes.shape
    octets = hashes.view(np.uint8).reshape(-1, _BYTES).astype(np.int64)
    owner = np.repeat(np.arange(count), windows)
    found = np.empty(0, np.int64)
    for chosen in combinations(range(_BYTES), _AGREEING):
        key = np.zeros(len(octets), np.int64)
        for octet in chosen:
            key = key << 8 | octets[:, octet]
        key, image = np.divmod(np.unique(key * count + owner), count)
        met = []
        for distance in range(1, min(_NEIGHBOURS, len(key) - 1) + 1):
            place = np.flatnonzero(key[distance:] == key[:-distance])
            if not len(place):
                break
            met.append(image[place] * count + image[place + distance])
        found = np.unique(np.concatenate([found, *met]))
    return found
