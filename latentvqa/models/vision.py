"""Images to patch tokens, through any timm backbone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from latentvqa.errors import ConfigError
from latentvqa.models.attention import sinusoid
from latentvqa.models.question import EncoderLayer
from latentvqa.models.small_backbone import SMALL_BACKBONE, SmallResidualNet


@dataclass(frozen=True)
class ImagePreparation:
    """How a backbone wants its images.

    Attributes:
        size: side of the square input, in pixels.
        interpolation: filter of the resize.
        mean: mean per channel, of values in [0, 1].
        std: standard deviation per channel.
    """

    size: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def create_backbone(
    name: str,
    *,
    image_size: int | None = None,
    stride: int | None = None,
    pretrained: bool | Path = False,
) -> tuple[nn.Module, ImagePreparation]:
    """Create a timm backbone that gives a feature map or a token sequence.

    Args:
        name: any timm model name, ``hf-hub:`` and tags included; or
            ``"small-residual"``, which is ours and has no pretrained weights.
        image_size: side of the input in pixels; the backbone's own if absent.
        stride: pixels per patch side; stages after it are cut off. Only for
            convolutional backbones; absent means the last stage.
        pretrained: timm's cache, then its hub; or a local weights file; or
            untrained.

    Raises:
        ConfigError: if timm does not know the name, the stride does not exist
            or the weights cannot be had.
    """
    if name == SMALL_BACKBONE:
        return _create_small(image_size, stride, pretrained)
    options: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    if stride is not None:
        options = {"features_only": True, "out_indices": (_stage_at(name, stride),)}
    if isinstance(pretrained, Path):
        options["pretrained_cfg_overlay"] = {"file": str(pretrained)}
    backbone = _create(name, pretrained, options, image_size)
    # a cut backbone keeps the configuration of the whole one
    config: dict[str, Any] = resolve_data_config(  # type: ignore[no-untyped-call]
        {}, pretrained_cfg=backbone.pretrained_cfg if stride is None else None, model=backbone
    )
    preparation = ImagePreparation(
        size=image_size or int(config["input_size"][-1]),
        interpolation=str(config["interpolation"]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    return backbone, preparation


class VisionEncoder(nn.Module):
    """Backbone, projection to the model's width, and positions.

    Args:
        backbone: gives ``(B, C, h, w)``, ``(B, h, w, C)`` or ``(B, N, C)``.
        preparation: the backbone's image size and normalisation.
        width: size D of the patch tokens.
        layers: transformer layers among the patches of an image, before any
            question: relations between objects at the price of one image
            instead of all its questions.
        heads: attention heads of these layers.
        dropout: dropout probability of these layers in training.
    """

    def __init__(
        self,
        *,
        backbone: nn.Module,
        preparation: ImagePreparation,
        width: int,
        layers: int = 0,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.preparation = preparation
        self.prefix_tokens = int(getattr(backbone, "num_prefix_tokens", 0))
        self.register_buffer("mean", torch.tensor(preparation.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(preparation.std).view(1, 3, 1, 1) * 255)
        features = self._probe()  # (1, P, C)
        self.grid = _grid_of(features.shape[1])
        self.norm = nn.LayerNorm(features.shape[2])
        self.project = nn.Linear(features.shape[2], width)
        self.positions = nn.Parameter(_grid_positions(self.grid, width))
        self.layers = nn.ModuleList(EncoderLayer(width, heads, dropout) for _ in range(layers))

    @property
    def patches(self) -> int:
        """Number P of patch tokens per image."""
        return self.positions.shape[0]

    def forward(self, images: Tensor) -> Tensor:
        """Encode images.

        Args:
            images: uint8 pixels, shape ``(B, 3, size, size)``.

        Returns:
            Patch tokens of shape ``(B, P, D)``.
        """
        return self.embed(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Backbone features of uint8 images, shape ``(B, P, C)``."""
        mean, std = cast("Tensor", self.mean), cast("Tensor", self.std)
        x = (images.float() - mean) / std  # (B, 3, size, size)
        x = self.backbone(x.contiguous(memory_format=torch.channels_last))
        if isinstance(x, list | tuple):
            x = x[-1]
        if x.ndim == 4:
            x = self._channels_last_map(x).flatten(1, 2)  # (B, P, C)
        patches: Tensor = x[:, self.prefix_tokens :]
        return patches

    def embed(self, features: Tensor) -> Tensor:
        """Project features ``(B, P, C)``, add positions, relate: ``(B, P, D)``."""
        embedded: Tensor = self.project(self.norm(features)) + self.positions
        for layer in self.layers:
            embedded = layer(embedded)
        return embedded

    def freeze(self, is_frozen: bool) -> None:
        """Freeze or unfreeze the backbone; frozen means that no buffer moves either."""
        self.backbone.requires_grad_(not is_frozen)
        self._is_frozen = is_frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> VisionEncoder:
        """Switch the mode; a frozen backbone stays in eval mode."""
        super().train(mode)
        if getattr(self, "_is_frozen", False):
            self.backbone.eval()
        return self

    def _probe(self) -> Tensor:
        was_training = self.backbone.training
        self.backbone.eval()
        with torch.no_grad():
            size = self.preparation.size
            features = self.features(torch.zeros(1, 3, size, size, dtype=torch.uint8))
        self.backbone.train(was_training)
        return features

    def _channels_last_map(self, x: Tensor) -> Tensor:
        backbone: Any = self.backbone
        channels = int(getattr(backbone, "num_features", 0) or backbone.feature_info.channels()[-1])
        if x.shape[1] != channels and x.shape[-1] == channels:
            return x
        return x.permute(0, 2, 3, 1)


def _create_small(
    image_size: int | None, stride: int | None, pretrained: bool | Path
) -> tuple[nn.Module, ImagePreparation]:
    if pretrained:
        raise ConfigError(f"vision.pretrained: {SMALL_BACKBONE!r} has no pretrained weights.")
    if stride not in (None, 4, 8, 16, 32):
        raise ConfigError(
            f"vision.stride = {stride}: {SMALL_BACKBONE!r} has the strides [4, 8, 16, 32]."
        )
    half = (0.5, 0.5, 0.5)
    return SmallResidualNet(stride or 16), ImagePreparation(image_size or 64, "bicubic", half, half)


def _create(
    name: str, pretrained: bool | Path, options: dict[str, Any], image_size: int | None
) -> nn.Module:
    sizes: list[dict[str, Any]] = [{}]
    if image_size is not None:
        # fixed-grid models take img_size; fully convolutional ones refuse it
        sizes = [{"img_size": image_size}, {}]
    for size in sizes:
        try:
            model: nn.Module = timm.create_model(
                name, pretrained=bool(pretrained), **options, **size
            )
        except TypeError as error:
            if "img_size" not in str(error):
                raise
        except RuntimeError as error:
            raise _creation_fault(name, pretrained, error) from error
        except OSError as error:
            raise _creation_fault(name, pretrained, error) from error
        else:
            return model
    raise ConfigError(f"vision.name = {name!r}: the backbone cannot be built at this image size")


def _creation_fault(name: str, pretrained: bool | Path, error: Exception) -> ConfigError:
    if isinstance(pretrained, Path):
        return ConfigError(f"vision.pretrained: cannot load {pretrained} into {name!r}: {error}")
    if pretrained:
        return ConfigError(
            f"vision.pretrained = true: the weights of {name!r} are neither in timm's cache nor "
            f"to be had from its hub ({type(error).__name__}). Fetch the model's weights file on a "
            'machine with network and set vision.pretrained = "path/to/model.safetensors".'
        )
    return ConfigError(f"vision.name = {name!r} is no timm model: {error}. See timm.list_models().")


def _stage_at(name: str, stride: int) -> int:
    try:
        whole: Any = timm.create_model(name, pretrained=False, features_only=True)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"vision.stride = {stride}: {name!r} has no stages to cut at ({error}). "
            "Remove vision.stride."
        ) from error
    reductions: list[int] = whole.feature_info.reduction()
    if stride not in reductions:
        raise ConfigError(
            f"vision.stride = {stride}: {name!r} has the strides {sorted(set(reductions))}."
        )
    # of several stages at one stride the last has seen most
    return len(reductions) - 1 - reductions[::-1].index(stride)


def _grid_of(patches: int) -> tuple[int, int]:
    side = round(patches**0.5)
    return (side, side) if side * side == patches else (1, patches)


def _grid_positions(grid: tuple[int, int], width: int) -> Tensor:
    rows = torch.arange(grid[0]).repeat_interleave(grid[1]).float()
    columns = torch.arange(grid[1]).repeat(grid[0]).float()
    half = width // 2
    # a patch or two should already differ: stretch the grid over the sinusoids
    stretch = 16.0 / max(grid)
    features = [sinusoid(axis * stretch, half - half % 2) for axis in (rows, columns)]
    positions = torch.cat(features, dim=-1)  # (P, <= D)
    return nn.functional.pad(positions, (0, width - positions.shape[1])) * 0.5
