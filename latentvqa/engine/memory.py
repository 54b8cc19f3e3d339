"""Whether a model fits into the memory of its device, reckoned before it is built.

Counts what training surely needs: the weights, and the gradient and the two moments
of AdamW of all that is trained. Activations come on top and are not reckoned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from latentvqa.engine.assembly import build_model, components
from latentvqa.engine.runtime.device import memory_of
from latentvqa.engine.specification import ModelSpecification
from latentvqa.errors import ConfigError

BYTES_PER_WEIGHT = 4
BYTES_PER_TRAINED_WEIGHT = 16  # with its gradient and its two moments

# what makes a component large, by its name among the components
_KEYS = {
    "vision": ("vision.name",),
    "question": ("fusion.width", "text.question_layers", "text.vocabulary_size"),
    "fusion": ("fusion.width", "fusion.layers", "vision.layers"),
    "latent": ("fusion.width", "latent.dims", "latent.tokens"),
    "decoder": ("fusion.width", "text.decoder_layers", "text.vocabulary_size"),
}


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of a component.

    Attributes:
        whole: all of them.
        trained: those that are ever trained.
    """

    whole: int
    trained: int

    @property
    def training_bytes(self) -> int:
        """Memory that training them surely needs."""
        frozen = self.whole - self.trained
        return frozen * BYTES_PER_WEIGHT + self.trained * BYTES_PER_TRAINED_WEIGHT


def parameter_counts(spec: ModelSpecification) -> dict[str, ParameterCount]:
    """Parameters of each component, counted on tensors without memory."""
    with torch.device("meta"):
        found = components(build_model(spec))
    return {
        name: ParameterCount(
            sum(one.numel() for _, one in members),
            sum(one.numel() for _, one in members if one.requires_grad),
        )
        for name, members in found.items()
    }


def require_memory(
    spec: ModelSpecification, device: torch.device, *, is_backbone_trained: bool = True
) -> None:
    """Refuse a model that cannot be trained on a device.

    Args:
        spec: its shape.
        device: where it shall be trained.
        is_backbone_trained: whether the backbone is in any epoch.

    Raises:
        ConfigError: with its size, the memory there is, and the keys to lower.
    """
    counts = parameter_counts(spec)
    needs = {name: count.training_bytes for name, count in counts.items()}
    if "vision" in counts and not is_backbone_trained:
        needs["vision"] = counts["vision"].whole * BYTES_PER_WEIGHT
    needed, there = sum(needs.values()), memory_of(device)
    if needed <= there:
        return
    largest = sorted(needs, key=lambda name: -needs[name])[:2]
    parts = " and ".join(f"{name} with {_size(needs[name])}" for name in largest)
    keys = ", ".join(dict.fromkeys(key for name in largest for key in _KEYS[name]))
    raise ConfigError(
        f"the model has {sum(one.whole for one in counts.values()):,} parameters: training needs "
        f"{_size(needed)} for weights, gradients and moments alone, and {device} has "
        f"{_size(there)}. "
        f"The largest parts are {parts}. Lower {keys}."
    )


def _size(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
