"""The moving average of a model's weights: what it is judged and answers by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from latentvqa.models.weights import own_state

_WARMUP = 10  # steps; the average of the first ones would be all but the untrained weights


class AveragedWeights:
    """Exponential moving average of what is trained, running statistics included.

    Polyak and Juditsky 1992; with the warm-up of the decay that is common practice:
    at step n it is at most (1 + n) / (10 + n).

    Args:
        model: whose weights are averaged; the average starts at what they are.
        decay: share of the old average that stays at each step, in [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self._average = {name: value.detach().clone() for name, value in own_state(model).items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take note of the weights after a step, counted from 1."""
        share = 1 - min(self.decay, (1 + step) / (_WARMUP + step))
        for name, value in self._moving().items():
            average = self._average[name]
            if value.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have its average inside the block."""
        raw = {name: value.clone() for name, value in own_state(self.model).items()}
        self._put(self._average)
        try:
            yield
        finally:
            self._put(raw)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The average as a whole state, and the weights themselves where they differ."""
        raw = {
            name: value
            for name, value in own_state(self.model).items()
            if not torch.equal(value, self._average[name])
        }
        return dict(self._average), raw

    def load_state(self, average: Mapping[str, Tensor], raw: Mapping[str, Tensor]) -> None:
        """Continue from what :meth:`state` gave."""
        for name, value in average.items():
            self._average[name].copy_(value)
        self._put({**average, **raw})

    @torch.no_grad()
    def _put(self, values: Mapping[str, Tensor]) -> None:
        for name, value in own_state(self.model).items():
            value.copy_(values[name])

    def _moving(self) -> dict[str, Tensor]:
        """What a step may have changed."""
        known = self._average.keys()
        parameters = {name: one for name, one in self.model.named_parameters() if one.requires_grad}
        moving = {**parameters, **dict(self.model.named_buffers())}
        return {name: one for name, one in moving.items() if name in known}
