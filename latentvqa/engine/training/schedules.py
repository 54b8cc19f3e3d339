"""What a configuration asks for at a place in the run: weight, noise, freezing."""

from __future__ import annotations

import math

from latentvqa.config import Config
from latentvqa.core.records import Stage
from latentvqa.core.schedules.epochs import stage_at, temperature_at, warmup_fraction_at
from latentvqa.core.schedules.kl_weight import (
    Controller,
    ControllerState,
    constant_fraction_at,
    controlled,
    cyclical_fraction_at,
)

_PATIENCE_EPOCHS, _PATIENCE_STEPS = 5, 500  # under auto, whichever is longer
_AT_REST = ControllerState()


class Schedules:
    """The schedules of a resolved configuration, by 0-based epoch.

    Args:
        config: the resolved configuration.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        stages = config.stages
        self.epochs = stages.baseline + stages.warmup + stages.full
        self.first_epochs = min(config.data.first_epochs, self.epochs)

    def stage(self, epoch: int) -> Stage:
        """Stage of an epoch."""
        stages = self.config.stages
        return stage_at(epoch, baseline=stages.baseline, warmup=stages.warmup, full=stages.full)

    def patience(self, steps_per_epoch: int) -> int:
        """Full-stage epochs without a better value that end the run.

        Where epochs are short, five of them are over before the rates have come down.
        """
        patience = self.config.early_stopping.patience
        if patience != "auto":
            return patience
        return max(_PATIENCE_EPOCHS, math.ceil(_PATIENCE_STEPS / max(1, steps_per_epoch)))

    def effective_weight(
        self, epoch: int, batch_share: float = 0.0, controller: ControllerState = _AT_REST
    ) -> float:
        """What multiplies ``kl_after`` in the loss.

        Args:
            epoch: the epoch.
            batch_share: share of its batches that are done.
            controller: its state, where a controller sets the weight.
        """
        kl, elapsed = self.config.kl, self._latent_epoch(epoch)
        if self.config.latent.bottleneck != "gaussian" or elapsed < 0:
            return 0.0
        if self.is_controlled(epoch):
            fraction = controller.fraction
        else:
            fraction = self._scheduled_fraction(elapsed, batch_share)
        return kl.max_weight * fraction * kl.factor

    def is_controlled(self, epoch: int) -> bool:
        """Whether a controller sets the KL weight in an epoch."""
        kl, is_gaussian = self.config.kl, self.config.latent.bottleneck == "gaussian"
        has_begun = self._latent_epoch(epoch) >= kl.warmup_start_epoch
        return kl.schedule == "controller" and is_gaussian and has_begun

    def controlled(self, state: ControllerState, kl_raw: float) -> ControllerState:
        """The controller's state after a step's ``kl_raw``, in nats of ``kl_token``."""
        kl = self.config.kl
        if kl.set_point is None:
            raise ValueError("the configuration names no kl.set_point")
        controller = Controller(kl.set_point, kl.proportional_gain, kl.integral_gain)
        return controlled(controller, state, kl_raw)

    def temperature(self, epoch: int) -> float:
        """Latent temperature in training."""
        latent, elapsed = self.config.latent, self._latent_epoch(epoch)
        if latent.bottleneck != "gaussian" or elapsed < 0:
            return 0.0
        return temperature_at(elapsed, latent.temperature, latent.temperature_warmup_epochs)

    @property
    def frozen_epochs(self) -> int:
        """Epochs at the start in which the backbone is frozen; all where none of it is trained."""
        vision = self.config.vision
        if vision.trained_layers == 0 and not vision.lora_rank:
            return self.epochs
        return vision.freeze_epochs if isinstance(vision.freeze_epochs, int) else 0

    def is_vision_frozen(self, epoch: int) -> bool:
        """Whether the backbone is frozen."""
        frozen = self.frozen_epochs
        return frozen > 0 and self._latent_epoch(epoch) < frozen

    def _scheduled_fraction(self, elapsed: int, batch_share: float) -> float:
        """Share of the full weight; 0 before a controller begins."""
        kl, start = self.config.kl, self.config.kl.warmup_start_epoch
        if kl.warmup_epochs == "auto":
            raise ValueError("the configuration is not resolved: kl.warmup_epochs")
        position = elapsed + batch_share
        if kl.schedule == "linear":
            position = position if kl.warmup_by == "step" else elapsed
            return warmup_fraction_at(position, start, kl.warmup_epochs)
        if kl.schedule == "cyclical":
            return cyclical_fraction_at(
                position, start, kl.warmup_epochs, cycles=kl.cycles, rising_share=kl.rising_share
            )
        return constant_fraction_at(position, start) if kl.schedule == "constant" else 0.0

    def _latent_epoch(self, epoch: int) -> int:
        """Epochs since the first one with a latent."""
        return epoch - self.config.stages.baseline
