"""Layers among patches that know the way from one patch to another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentvqa.models.attention import quieten_
from latentvqa.models.question import EncoderLayer


class RelatingLayer(EncoderLayer):
    """A layer among patches with a learned bias for every way across the grid.

    One bias a head and way (Swin, Liu et al. 2021, arXiv:2103.14030): "the next one that is
    no background" is one head then. What it adds begins at zero.

    Args:
        width: size D of the patch tokens.
        heads: attention heads.
        dropout: dropout probability in training.
        grid: rows and columns of the patches.
    """

    def __init__(self, width: int, heads: int, dropout: float, grid: tuple[int, int]) -> None:
        super().__init__(width, heads, dropout)
        rows, columns = grid
        ways = _ways(rows)[:, None, :, None] * (2 * columns - 1) + _ways(columns)[:, None]
        self.register_buffer("ways", ways.reshape(rows * columns, -1), persistent=False)  # (P, P)
        self.way_bias = nn.Embedding((2 * rows - 1) * (2 * columns - 1), heads)
        nn.init.zeros_(self.way_bias.weight)
        quieten_(self.attention, self.feed_forward, scale=0.0)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map ``(B, P, D)`` to ``(B, P, D)``; there is nothing to mask."""
        normed = self.attention_norm(x)
        bias = self.way_bias(self.ways).permute(2, 0, 1)  # (heads, P, P)
        x = x + self.attention.look(normed, *self.attention.project(normed), bias=bias)[0]
        feed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + feed


def _ways(size: int) -> Tensor:
    """Number of the way from each place to each other along one side, ``(size, size)``."""
    places = torch.arange(size)
    return places[:, None] - places + size - 1
