"""Training by matrices of a low rank beside the linear layers of a pretrained model."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from torch import nn

from latentvqa.errors import ConfigError


def add_lora(
    model: nn.Module, rank: int, key: str, layers: str | Sequence[str] = "all-linear"
) -> None:
    """Freeze a model, and add trainable matrices of a low rank beside its linear layers.

    Hu et al. 2021, arXiv:2106.09685, as the peft library has it.

    Args:
        model: whose layers are replaced in place.
        rank: of the matrices.
        key: key of the configuration that asks for it.
        layers: names of the layers; those that peft takes in a model of the
            transformers library.

    Raises:
        ConfigError: if peft is not installed.
    """
    try:
        peft = importlib.import_module("peft")
    except ImportError as error:
        raise ConfigError(
            f"{key} needs the peft library, which is not installed ({error}). Install it with: "
            'pip install "latentvqa[hf]"'
        ) from error
    model.requires_grad_(False)
    # GPT-2 and its kin keep the weights of their linear layers the other way round
    is_turned = any(type(one).__name__ == "Conv1D" for one in model.modules())
    config = peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=layers, fan_in_fan_out=is_turned
    )
    peft.inject_adapter_in_model(config, model)
