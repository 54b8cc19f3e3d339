"""AdamW with one rate per component, moved along the schedule by hand.

The optimizer's state travels in checkpoints as plain tensors, so that a resumed
run continues with the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentvqa.config import Config
from latentvqa.core.schedules.epochs import learning_rate_factor_at
from latentvqa.engine.assembly import COMPONENTS, components
from latentvqa.models import VQAModel

# learned inputs, as embeddings are
_SPARED = {
    "bottleneck.queries",
    "bottleneck.token_embedding",
    "fusion.summary_query",
    "vision.positions",
}


def peak_rates(config: Config) -> dict[str, float]:
    """Peak learning rate of each component of a resolved configuration."""
    peaks = {}
    for name in COMPONENTS:
        rate = getattr(config.optimizer, f"{name}_rate")
        if rate == "auto":
            raise ValueError(f"the configuration is not resolved: optimizer.{name}_rate")
        peaks[name] = float(rate)
    return peaks


def build_optimizer(model: VQAModel, config: Config) -> torch.optim.AdamW:
    """All parameters are in it from the start, frozen ones included.

    Biases, gains, embeddings and learned queries are spared the decay.
    """
    spared = {
        f"{prefix}.{name}"
        for prefix, module in model.named_modules()
        if isinstance(module, nn.Embedding)
        for name, _ in module.named_parameters(recurse=False)
    } | _SPARED
    groups = []
    for component, members in components(model).items():
        for is_decayed in (True, False):
            chosen = [
                parameter
                for name, parameter in members
                if (parameter.ndim >= 2 and name not in spared) is is_decayed
            ]
            if chosen:
                decay = config.optimizer.weight_decay if is_decayed else 0.0
                groups.append({"params": chosen, "weight_decay": decay, "component": component})
    return torch.optim.AdamW(groups, lr=0.0, fused=True)


def set_rates(
    optimizer: torch.optim.Optimizer, config: Config, step: int, total_steps: int
) -> dict[str, float]:
    """Move every group to its rate at ``step``; returns the rates by component."""
    settings = config.optimizer
    warmup_steps = round(settings.warmup_share * total_steps)
    factor = learning_rate_factor_at(
        min(step, total_steps),
        total_steps,
        warmup_steps,
        final_factor=settings.final_factor if settings.schedule == "cosine" else 1.0,
    )
    rates = {name: peak * factor for name, peak in peak_rates(config).items()}
    for group in optimizer.param_groups:
        group["lr"] = rates[group["component"]]
    return {name: rates[name] for name in dict.fromkeys(_names(optimizer))}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments and counters as named tensors."""
    return {
        f"optimizer.{index}.{name}": value
        for index, entries in optimizer.state_dict()["state"].items()
        for name, value in entries.items()
    }


def load_optimizer_state(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Continue from what :func:`optimizer_state` gave."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if not key.startswith("optimizer."):
            continue
        _, index, name = key.split(".", 2)
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            # the fused kernel walks memory: moments must lie as their parameter does
            value = torch.empty_like(parameter).copy_(value)  # noqa: PLW2901
        state.setdefault(int(index), {})[name] = value
    current = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})


def _names(optimizer: torch.optim.Optimizer) -> list[str]:
    return [group["component"] for group in optimizer.param_groups]
