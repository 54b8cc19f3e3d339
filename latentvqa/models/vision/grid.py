"""The grid that patch tokens come from: its shape, means over its parts, its positions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_MOST_WAVES = 8  # along one side of the grid
_POSITION_SCALE = 0.5  # root mean square, beside features of about 1


def grid_of(patches: int) -> tuple[int, int]:
    """Rows and columns of so many patches: one row where they fill no square."""
    side = round(patches**0.5)
    return (side, side) if side * side == patches else (1, patches)


def pooled(patches: Tensor, side: int) -> Tensor:
    """Means over the cells of a ``side`` x ``side`` grid; patches in no square are kept.

    Args:
        patches: row by row, shape ``(B, P, C)``.
        side: cells per side; a smaller grid of patches is kept as it is.
    """
    rows, columns = grid_of(patches.shape[1])
    if rows <= side or rows != columns:
        return patches
    grid = patches.transpose(1, 2).reshape(patches.shape[0], -1, rows, columns)
    return F.adaptive_avg_pool2d(grid, side).flatten(2).transpose(1, 2)  # (B, side x side, C)


def grid_positions(grid: tuple[int, int], width: int) -> Tensor:
    """Position vectors of a grid of patches, ``(P, D)``, row by row.

    The lowest waves that a grid of this size can hold (the cosine basis of Ahmed
    et al. 1974, without its constant), coarse ones strongest, spread over all
    dimensions. The sinusoids of text spend most dimensions on waves far longer
    than a few patches, which are a constant here.
    """
    features = []
    for axis, size in enumerate(grid):
        waves = torch.arange(1, min(size - 1, _MOST_WAVES) + 1)
        places = torch.arange(size) + 0.5
        basis = torch.cos(torch.pi * places[:, None] * waves / size) / waves  # (size, waves)
        shape = (size, 1, -1) if axis == 0 else (1, size, -1)
        features.append(basis.view(shape).expand(*grid, -1))
    joined = torch.cat(features, dim=-1).flatten(0, 1)  # (P, waves of both axes)
    directions = torch.randn(joined.shape[1], width, generator=torch.Generator().manual_seed(0))
    positions = joined @ directions
    return positions * (_POSITION_SCALE / positions.square().mean().sqrt().clamp(min=1e-6))
