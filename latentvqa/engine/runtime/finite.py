"""NaN and infinity: what holds one is neither saved, loaded nor answered with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def first_not_finite(tensors: Mapping[str, Tensor]) -> str:
    """Name of the first tensor with a NaN or an infinity; empty where there is none."""
    return next(
        (
            name
            for name, tensor in tensors.items()
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all())
        ),
        "",
    )
