"""How far the attention maps of different questions about one image lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentvqa.core.figures import figure

# Where about 8 % of the attention lies elsewhere (half the sum of the differences), which the
# eye does not see on a map. A model that looks for what is asked (94 % right on easy-VQA) has
# 0.035 bits, from 0.006 to 0.08 on single images; models of photographs that answer no better
# than without the image have 0.0002 and 0.0018.
LEAST_DIVERGENCE = 0.01  # bits
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


def mean_map_divergence(groups: Sequence[NDArray[np.floating]]) -> float | None:
    """The mean over images that have at least two questions; None where none has.

    Args:
        groups: for each image what :func:`map_divergence` takes.
    """
    found = [one for one in map(map_divergence, groups) if one is not None]
    return float(np.mean(found)) if found else None


def sameness_notice(divergence: float | None) -> str:
    """What a reader of maps should know that hardly depend on the question; else empty."""
    if divergence is None or divergence >= LEAST_DIVERGENCE:
        return ""
    return (
        "The maps hardly differ between questions about one image (mean Jensen-Shannon "
        f"divergence {figure(divergence)} bits, below {LEAST_DIVERGENCE:g}): they show where the "
        "tokens look whatever is asked. Take them for no reason of an answer."
    )


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(-1)
    return found
