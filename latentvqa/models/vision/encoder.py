"""Images to patch tokens, through any timm backbone."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentvqa.models.low_rank import add_lora
from latentvqa.models.question import EncoderLayer
from latentvqa.models.vision.backbone import ImagePreparation
from latentvqa.models.vision.backbone_layers import layers_of
from latentvqa.models.vision.grid import grid_of, grid_positions, pooled
from latentvqa.models.vision.relating import RelatingLayer

_LEAST_SPREAD = 0.1  # channels that hardly differ are not blown up
_LEAST_VARIANCE = 0.1  # nor are directions, beside their mean


class VisionEncoder(nn.Module):
    """Backbone, projection to the model's width, and positions.

    Args:
        backbone: gives ``(B, C, h, w)``, ``(B, h, w, C)`` or ``(B, N, C)``.
        preparation: the backbone's image size and normalisation.
        width: size D of the patch tokens.
        layers: transformer layers among the patches of an image, before any
            question: relations between objects at the price of one image
            instead of all its questions.
        relative_places: let these layers learn what the way from one patch to another
            means, whatever the two hold, and begin as if they were not there: what
            stands where is found first, what stands near what upon it.
        heads: attention heads of these layers.
        dropout: dropout probability of patch tokens and of these layers in training.
        pool: patch tokens per side that features are averaged to; all without.
        trained_layers: layers of the backbone, from its end, that are trained where it
            is not frozen; None trains all of it.
        lora_rank: rank of the matrices that are trained beside its linear layers,
            which then stay as they are; 0 for none.
        fixed_statistics: batch normalisation keeps the statistics that it came with.
        blind: drop the backbone once its patches are counted, and give the same
            ones for every image: the question-only control.
    """

    def __init__(
        self,
        *,
        backbone: nn.Module,
        preparation: ImagePreparation,
        width: int,
        layers: int = 0,
        relative_places: bool = False,
        heads: int = 4,
        dropout: float = 0.0,
        pool: int | None = None,
        trained_layers: int | None = None,
        lora_rank: int = 0,
        fixed_statistics: bool = False,
        blind: bool = False,
    ) -> None:
        super().__init__()
        self.backbone, self.pool = backbone, pool
        self.fixed_statistics = fixed_statistics
        self.preparation = preparation
        self.prefix_tokens = int(getattr(backbone, "num_prefix_tokens", 0))
        self.register_buffer("mean", torch.tensor(preparation.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(preparation.std).view(1, 3, 1, 1) * 255)
        features = self._probe()  # (1, P, C)
        self.grid = grid_of(features.shape[1])
        self.norm = nn.LayerNorm(features.shape[2])
        self.project = nn.Linear(features.shape[2], width)
        self.positions = nn.Parameter(grid_positions(self.grid, width))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            RelatingLayer(width, heads, dropout, self.grid)
            if relative_places
            else EncoderLayer(width, heads, dropout)
            for _ in range(layers)
        )
        if lora_rank and not blind:
            linear = [n for n, one in self.backbone.named_modules() if isinstance(one, nn.Linear)]
            add_lora(self.backbone, lora_rank, "vision.lora_rank", linear)
        elif trained_layers is not None and not blind:
            _train_last(self.backbone, trained_layers)
        self._trained = [one for one in self.backbone.parameters() if one.requires_grad]
        if blind:
            self.backbone, self.prefix_tokens = _SameForEveryImage(features.shape), 0
            self.pool = None

    @property
    def patches(self) -> int:
        """Number P of patch tokens per image."""
        return self.positions.shape[0]

    @property
    def mean_colour(self) -> Tensor:
        """The colour that says nothing: uint8 values of the three channels."""
        return cast("Tensor", self.mean).flatten().round().to(torch.uint8)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images.

        Args:
            images: uint8 pixels, shape ``(B, 3, size, size)``, or :meth:`features`
                of them.

        Returns:
            Patch tokens of shape ``(B, P, D)``.
        """
        return self.embed(images if images.is_floating_point() else self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Backbone features of uint8 images, shape ``(B, P, C)``."""
        mean, std = cast("Tensor", self.mean), cast("Tensor", self.std)
        x = (images.float() - mean) / std  # (B, 3, size, size)
        x = self.backbone(x.contiguous(memory_format=torch.channels_last))
        if isinstance(x, list | tuple):
            x = x[-1]
        if x.ndim == 4:
            is_channels_last = getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"
            x = (x if is_channels_last else x.permute(0, 2, 3, 1)).flatten(1, 2)  # (B, P, C)
        patches: Tensor = x[:, self.prefix_tokens :]
        return patches if self.pool is None else pooled(patches, self.pool)

    def embed(self, features: Tensor) -> Tensor:
        """Project features ``(B, P, C)``, add positions, relate: ``(B, P, D)``."""
        embedded: Tensor = self.dropout(self.project(self.norm(features)) + self.positions)
        # a sum of what and where loses which what was where once patches are averaged
        for layer in self.layers:
            embedded = layer(embedded)
        return embedded

    @torch.no_grad()
    def begin_whitened(self, features: Tensor) -> None:
        """Begin with a norm and a projection that whiten these features.

        Images of one kind, as radiographs are, differ little beside what they share, and
        that little along few directions. Each channel begins with mean 0 and spread 1, and
        the projection mixes the directions of most variance (PCA whitening, Kessy et al.
        2018, arXiv:1512.00809), each scaled to about 1; weak ones less, as they are noise.

        Args:
            features: of the training images, shape ``(N, P, C)``.
        """
        plain = F.layer_norm(features.float(), features.shape[-1:]).flatten(0, 1)  # (N P, C)
        spread, mean = torch.std_mean(plain, dim=0, correction=0)
        gain = 1 / spread.clamp(min=_LEAST_SPREAD)
        self.norm.weight.copy_(gain)
        self.norm.bias.copy_(-mean * gain)
        even = (plain - mean) * gain
        shared = (even.T @ even / len(even)).cpu().double()  # not every device has doubles
        variances, directions = torch.linalg.eigh(shared)  # rising
        kept = min(self.project.weight.shape)
        floor = _LEAST_VARIANCE * variances.mean().clamp(min=_LEAST_VARIANCE)
        scales = (variances[-kept:].clamp(min=0) + floor).rsqrt()
        mixed = self.project.weight[:, :kept].cpu().double() * (len(variances) / kept) ** 0.5
        self.project.weight.copy_(mixed @ (directions[:, -kept:] * scales).T)

    def freeze(self, is_frozen: bool) -> None:
        """Freeze or unfreeze what is trained of the backbone; frozen, no buffer moves either."""
        for parameter in self._trained:
            parameter.requires_grad_(not is_frozen)
        self._is_frozen = is_frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> VisionEncoder:
        """Switch the mode; a frozen backbone, or what has fixed statistics, stays in eval mode."""
        super().train(mode)
        if getattr(self, "_is_frozen", False):
            self.backbone.eval()
        elif self.fixed_statistics:
            for module in self.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def _probe(self) -> Tensor:
        was_training = self.backbone.training
        self.backbone.eval()
        with torch.no_grad():
            size = self.preparation.size
            features = self.features(torch.zeros(1, 3, size, size, dtype=torch.uint8))
        self.backbone.train(was_training)
        return features


def _train_last(backbone: nn.Module, count: int) -> None:
    """Leave only the last layers of a backbone trainable."""
    layers = layers_of(backbone, "vision.trained_layers")
    first = max(layers.values()) + 1 - count
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(layers[name] >= first)


class _SameForEveryImage(nn.Module):
    """Stands where a backbone stood: features that say nothing of the pixels."""

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.patches, self.channels = shape[1:]

    def forward(self, images: Tensor) -> Tensor:
        """Zeros of shape ``(B, P, C)``."""
        return images.new_zeros(images.shape[0], self.patches, self.channels)
