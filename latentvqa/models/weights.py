"""The state of a model with each tensor once: tied weights have several names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def tied_names(model: nn.Module) -> dict[str, str]:
    """Names of parameters that are another one by a second name, with the first one's name."""
    first: dict[int, str] = {}
    tied: dict[str, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        known = first.setdefault(id(parameter), name)
        if known != name:
            tied[name] = known
    return tied


def own_state(model: nn.Module) -> dict[str, Tensor]:
    """The state of a model, a tensor with several names once."""
    tied = tied_names(model)
    return {name: value for name, value in model.state_dict().items() if name not in tied}


def load_own_state(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Take what :func:`own_state` gave.

    Raises:
        RuntimeError: if names or shapes do not fit.
    """
    tied = tied_names(model)
    whole = {**state, **{name: state[first] for name, first in tied.items() if first in state}}
    model.load_state_dict(whole)
