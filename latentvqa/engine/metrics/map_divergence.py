"""How far the attention maps of different questions about one image lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MOST_QUESTIONS = 12  # of an image; pairs grow with the square


def map_divergence(attention: NDArray[np.floating]) -> float | None:
    """Mean Jensen-Shannon divergence of the maps of each pair of questions, in bits.

    Of each token separately, over the patches alone: how much of the attention goes
    to the question itself is no part of a map.

    Args:
        attention: of different questions about one image, ``(questions, K, P + 1)``,
            the last place the question summary's.

    Returns:
        Between 0 and 1; None of fewer than two questions.
    """
    if len(attention) < 2:
        return None
    looked = attention[:_MOST_QUESTIONS, :, :-1].astype(np.float64)
    maps = looked / np.maximum(looked.sum(-1, keepdims=True), 1e-12)
    first, second = np.triu_indices(len(maps), k=1)
    between = (maps[first] + maps[second]) / 2.0
    found = _entropy(between) - (_entropy(maps[first]) + _entropy(maps[second])) / 2.0
    return float(np.maximum(found, 0.0).mean())


def mean_map_divergence(
    attention: NDArray[np.floating], images: NDArray[np.integer], questions: Sequence[str]
) -> float | None:
    """The mean over images that have at least two different questions; None where none has.

    Args:
        attention: of rows of a table, ``(rows, K, P + 1)``.
        images: number of each row's image, ``(rows,)``.
        questions: of each row.
    """
    by_image: dict[int, dict[str, NDArray[np.floating]]] = {}
    for image, question, one in zip(images.tolist(), questions, attention, strict=True):
        by_image.setdefault(image, {})[question] = one
    groups = [np.stack(list(of_image.values())) for of_image in by_image.values()]
    found = [one for one in map(map_divergence, groups) if one is not None]
    return float(np.mean(found)) if found else None


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(-1)
    return found
