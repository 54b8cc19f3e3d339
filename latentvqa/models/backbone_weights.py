"""The weights of a trained backbone, named as timm names those of the whole model."""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn

from latentvqa.errors import ConfigError


def whole_weights(name: str, backbone: nn.Module) -> dict[str, Tensor]:
    """Weights that :func:`create_backbone` loads into the same backbone again.

    Stages that a cut backbone lacks are filled with zeros: timm loads whole models
    only.

    Args:
        name: timm name of the backbone.
        backbone: as :func:`create_backbone` made it.

    Raises:
        ConfigError: if the cut backbone names its weights otherwise.
    """
    untrained = timm.create_model(name, pretrained=False).state_dict()
    whole = {key: torch.zeros_like(value) for key, value in untrained.items()}
    for key, value in backbone.state_dict().items():
        # timm wraps a transformer, and joins the name of a stage to its number
        plain = key.removeprefix("model.")
        known = plain if plain in whole else plain.replace("_", ".", 1)
        if known not in whole:
            raise ConfigError(
                f"the weights of {name!r} cannot be taken out of the part that is used: {key} has "
                'no place in the whole model. Set vision.stride = "last".'
            )
        whole[known] = value
    return {key: value.detach().cpu().contiguous() for key, value in whole.items()}
