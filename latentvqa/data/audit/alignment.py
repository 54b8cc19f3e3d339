"""Lay one thumbnail on another, shifted and scaled, and measure what is left between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.audit.fingerprints import SIDE, Thumbnails

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_POINTS = 24  # a side at which the two are compared
_BLOCK = 4  # points; 6 x 6 blocks
_STEPS = 6  # of Gauss and Newton; the start is off by a pixel or so
_MOST = 1.5  # pixels of a step
_DAMPING = 1e-3

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Residuals:
    """What is left between pairs of images, each of shape ``(pairs,)``.

    Attributes:
        correlation: of the brightness where they overlap.
        block: largest difference of the mean of a block, over places and
            colours, in levels of 255.
        contrast: standard deviation of the first one's brightness, in levels.
        overlap: share of the first one's window that the second one covers.
    """

    correlation: Array
    block: Array
    contrast: Array
    overlap: Array


def residuals(
    first: Thumbnails, second: Thumbnails, first_cuts: Array, second_cuts: Array
) -> Residuals:
    """Align every pair by its brightness and compare it in colour.

    After Lucas and Kanade 1981, with a shift and a scale per axis, and a gain
    and an offset of brightness that are not taken out of what is left.

    Args:
        first: thumbnails, shape ``(pairs, 32, 32, 3)``.
        second: the other ones.
        first_cuts: share cut off top, bottom, left and right of the window of
            the first that is compared, shape ``(pairs, 4)``.
        second_cuts: where it may be found in the second.
    """
    one, other = first.astype(np.float32), second.astype(np.float32)
    goal = _sampled(one, *_points(first_cuts))
    rows, columns = _points(second_cuts)
    rows, columns = _aligned(goal @ LUMA, other @ LUMA, rows, columns)
    found = _sampled(other, rows, columns)
    weight = _inside(rows, columns)
    known = weight.sum((1, 2)) + 1e-6
    centred = [
        (light - ((light * weight).sum((1, 2)) / known)[:, None, None]) * weight
        for light in (goal @ LUMA, found @ LUMA)
    ]
    a, b = centred
    power = np.sqrt((a * a).sum((1, 2)) * (b * b).sum((1, 2)))
    blocks = _POINTS // _BLOCK
    shape = (len(goal), blocks, _BLOCK, blocks, _BLOCK, 3)
    difference = ((goal - found) * weight[..., None]).reshape(shape).mean((2, 4))
    return Residuals(
        correlation=(a * b).sum((1, 2)) / (power + 1e-6),
        block=np.abs(difference).max((1, 2, 3)),
        contrast=np.sqrt((a * a).sum((1, 2)) / known),
        overlap=known / _POINTS**2,
    )


def _points(cuts: Array) -> tuple[Array, Array]:
    """Rows and columns of a grid over windows, in pixels, each ``(pairs, points)``."""
    place = (np.arange(_POINTS, dtype=np.float32) + 0.5) / _POINTS
    top, bottom, left, right = cuts.astype(np.float32).T[..., None]
    rows = (top + place * (1 - top - bottom)) * SIDE - 0.5
    columns = (left + place * (1 - left - right)) * SIDE - 0.5
    return rows, columns


def _inside(rows: Array, columns: Array) -> Array:
    """1 where a point lies in the image and 0 elsewhere, ``(pairs, points, points)``."""
    along, across = ((axis > -0.6) & (axis < SIDE - 0.4) for axis in (rows, columns))
    return (along[:, :, None] & across[:, None, :]).astype(np.float32)


def _sampled(planes: Array, rows: Array, columns: Array) -> Array:
    """Bilinear values at grids of points, ``(pairs, points, points, planes)``."""
    pair = np.arange(len(planes))[:, None]
    values = planes
    for axis in (rows, columns):
        place = np.clip(axis, 0, SIDE - 1.001)
        low = place.astype(np.int64)
        share = (place - low)[:, :, None, None]
        lines = values[pair, low] * (1 - share) + values[pair, low + 1] * share
        values = lines.swapaxes(1, 2)
    return values


def _aligned(goal: Array, light: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
    """Move grids until the second image shows there what the first one shows."""
    pairs = len(goal)
    planes = np.stack([light, *np.gradient(light, axis=(1, 2))], axis=-1)
    place = ((np.arange(_POINTS) + 0.5) / _POINTS - 0.5).astype(np.float32)
    wanted = (goal - goal.mean((1, 2), keepdims=True)).reshape(pairs, -1, 1)
    damping = np.diag([_DAMPING] * 4 + [0.0] * 2) * _POINTS**2 + np.eye(6) * 1e-3
    for _ in range(_STEPS):
        value, down, across = np.moveaxis(_sampled(planes, rows, columns), -1, 0)
        terms = [down, down * place[:, None], across, across * place, value, np.ones_like(value)]
        slopes = np.stack(terms, axis=-1).reshape(pairs, -1, 6)
        weighted = (slopes * _inside(rows, columns).reshape(pairs, -1, 1)).swapaxes(1, 2)
        step = np.linalg.solve(weighted @ slopes + damping, weighted @ wanted)[..., 0]
        gain = np.where(np.abs(step[:, 4:5]) < 0.2, 1.0, step[:, 4:5])
        move = np.clip(step[:, :4] / gain, -_MOST, _MOST).astype(np.float32)
        rows = rows + move[:, 0:1] + move[:, 1:2] * place
        columns = columns + move[:, 2:3] + move[:, 3:4] * place
    return rows, columns
