"""A small residual network that learns from scratch where timm's are slow to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALL_BACKBONE = "small-residual"
_CHANNELS = {2: 32, 4: 64, 8: 128, 16: 128, 32: 256}


class SmallResidualNet(nn.Module):
    """One strided convolution and one residual block per halving (He et al. 2016).

    Args:
        stride: pixels per side of an output position; a power of two, 4 to 32.
    """

    def __init__(self, stride: int = 16) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        inputs = 3
        for reached, channels in _CHANNELS.items():
            if reached > stride:
                break
            self.stages.append(_convolution(inputs, channels, stride=2))
            if reached > 2:
                self.stages.append(ResidualBlock(channels))
            inputs = channels
        self.num_features = inputs

    def forward(self, images: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, num_features, H / stride, W / stride)``."""
        features: Tensor = self.stages(images)
        return features


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape ``(B, C, h, w)``."""
        return torch.relu(x + self.norm(self.second(self.first(x))))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
