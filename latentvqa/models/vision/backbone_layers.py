"""Which layer of a timm backbone each of its parameters belongs to, counted from its input."""

from __future__ import annotations

from typing import Any

from timm.models import group_parameters
from torch import nn

from latentvqa.errors import ConfigError


def layers_of(backbone: nn.Module, key: str) -> dict[str, int]:
    """Layer of each parameter by its name; 0 is the layer that meets the pixels.

    timm says for each of its models what a layer is: a block of a transformer, a
    block of a residual network. What stands after the last layer belongs to it.

    Args:
        backbone: a whole timm model.
        key: key of the configuration that asks for its layers.

    Raises:
        ConfigError: for a backbone that was cut, whose layers nothing tells.
    """
    matcher: Any = getattr(backbone, "group_matcher", None)
    if matcher is None:
        raise ConfigError(
            f"{key}: the layers of a backbone that is cut at a stride are not known. Set "
            'vision.stride = "last".'
        )
    found: dict[str, int] = group_parameters(backbone, matcher(coarse=False), reverse=True)
    return {name: int(layer) for name, layer in found.items()}


def spared_of(backbone: nn.Module) -> set[str]:
    """Names of parameters that timm itself spares the weight decay, as places and class tokens."""
    names: Any = getattr(backbone, "no_weight_decay", set)
    return set(names())
