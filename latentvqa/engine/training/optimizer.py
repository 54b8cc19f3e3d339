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
from latentvqa.models.vision.backbone_layers import layers_of, spared_of

_BACKBONE = "vision.backbone."
_STATE, _ENTRY = "optimizer.", ":"  # around the name of a parameter in a checkpoint
# under auto: the rates rise over a tenth of the steps, and over no more epochs than this
_WARMUP_SHARE, _MOST_WARMUP_EPOCHS = 0.1, 2.0
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

    Biases, gains, embeddings and learned queries are spared the decay, and what the
    backbone's library spares: places and class tokens.

    Raises:
        ConfigError: if rates shall decay by layers that nothing tells.
    """
    spared = _learned_inputs(model)
    spared |= {f"{_BACKBONE}{name}" for name in spared_of(model.vision.backbone)}
    scales = _layer_scales(model, config.optimizer.layer_decay)
    groups: dict[tuple[str, bool, float], list[tuple[str, nn.Parameter]]] = {}
    for component, members in components(model).items():
        for name, parameter in members:
            is_decayed = parameter.ndim >= 2 and name not in spared
            key = (component, is_decayed, scales.get(name, 1.0))
            groups.setdefault(key, []).append((name, parameter))
    return torch.optim.AdamW(
        [
            {
                "params": chosen,
                "weight_decay": config.optimizer.weight_decay if is_decayed else 0.0,
                "component": component,
                "scale": scale,
            }
            for (component, is_decayed, scale), chosen in groups.items()
        ],
        lr=0.0,
        fused=True,
    )


def _learned_inputs(model: VQAModel) -> set[str]:
    """Embeddings, and what is learned in the place of one, by name."""
    return {
        f"{prefix}.{name}"
        for prefix, module in model.named_modules()
        if isinstance(module, nn.Embedding)
        for name, _ in module.named_parameters(recurse=False)
    } | _SPARED


def _layer_scales(model: VQAModel, decay: float) -> dict[str, float]:
    """What the rate of each parameter of the backbone is multiplied by, by its whole name.

    The last layer has the component's rate, each one below ``decay`` times that of
    the next (Howard and Ruder 2018, arXiv:1801.06146).
    """
    if decay == 1.0:
        return {}
    layers = layers_of(model.vision.backbone, "optimizer.layer_decay")
    last = max(layers.values(), default=0)
    return {f"{_BACKBONE}{name}": decay ** (last - layer) for name, layer in layers.items()}


def set_rates(
    optimizer: torch.optim.Optimizer, config: Config, step: int, total_steps: int
) -> dict[str, float]:
    """Move every group to its rate at ``step``; returns the rates by component."""
    settings = config.optimizer
    warmup_steps = round(_warmup_share(config) * total_steps)
    factor = learning_rate_factor_at(
        min(step, total_steps),
        total_steps,
        warmup_steps,
        final_factor=settings.final_factor if settings.schedule == "cosine" else 1.0,
    )
    rates = {name: peak * factor for name, peak in peak_rates(config).items()}
    for group in optimizer.param_groups:
        group["lr"] = rates[group["component"]] * group["scale"]
    return {name: rates[name] for name in dict.fromkeys(_names(optimizer))}


def _warmup_share(config: Config) -> float:
    share, stages = config.optimizer.warmup_share, config.stages
    if share != "auto":
        return share
    epochs = stages.baseline + stages.warmup + stages.full
    return min(_WARMUP_SHARE, _MOST_WARMUP_EPOCHS / max(1, epochs))


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments and counters by the name of their parameter."""
    return {
        f"{_STATE}{name}{_ENTRY}{entry}": value
        for name, parameter in _parameters(optimizer).items()
        for entry, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer_state(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], model: VQAModel
) -> None:
    """Continue from what :func:`optimizer_state` gave, or that of an earlier version.

    Args:
        optimizer: of the model.
        tensors: of a checkpoint; what others saved beside it is left alone.
        model: whose parameters earlier versions numbered.
    """
    parameters = _parameters(optimizer)
    places = {name: place for place, name in enumerate(parameters)}
    numbered = _numbered(model)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if not key.startswith(_STATE):
            continue
        name, separator, entry = key.removeprefix(_STATE).partition(_ENTRY)
        if not separator:
            number, entry = name.split(".", 1)
            name = numbered[int(number)]
        parameter = parameters[name]
        if value.shape == parameter.shape:
            # the fused kernel walks memory: moments must lie as their parameter does
            value = torch.empty_like(parameter).copy_(value)  # noqa: PLW2901
        state.setdefault(places[name], {})[entry] = value
    current = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": current["param_groups"]})


def _parameters(optimizer: torch.optim.Optimizer) -> dict[str, nn.Parameter]:
    """Parameters by name, in the optimizer's own order."""
    return {
        name: parameter
        for group in optimizer.param_groups
        for name, parameter in zip(group["param_names"], group["params"], strict=True)
    }


def _numbered(model: VQAModel) -> list[str]:
    """Names of all parameters in the order by which earlier versions numbered their moments."""
    spared = _learned_inputs(model)
    return [
        name
        for members in components(model).values()
        for is_decayed in (True, False)
        for name, parameter in members
        if (parameter.ndim >= 2 and name not in spared) is is_decayed
    ]


def _names(optimizer: torch.optim.Optimizer) -> list[str]:
    return [group["component"] for group in optimizer.param_groups]
