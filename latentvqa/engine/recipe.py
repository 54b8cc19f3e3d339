"""What a configuration asks for at a place in the run: weight, noise, freezing."""

from __future__ import annotations

from latentvqa.config import Config
from latentvqa.core.records import Stage
from latentvqa.core.schedules import stage_at, temperature_at, warmup_fraction_at


class Recipe:
    """The schedules of a resolved configuration, by 0-based epoch.

    Args:
        config: the resolved configuration.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        stages = config.stages
        self.epochs = stages.baseline + stages.warmup + stages.full

    def stage(self, epoch: int) -> Stage:
        """Stage of an epoch."""
        stages = self.config.stages
        return stage_at(epoch, baseline=stages.baseline, warmup=stages.warmup, full=stages.full)

    def effective_weight(self, epoch: int, batch_share: float = 0.0) -> float:
        """What multiplies ``kl_after`` in the loss.

        Args:
            epoch: the epoch.
            batch_share: share of its batches that are done.
        """
        kl, elapsed = self.config.kl, self._latent_epoch(epoch)
        if self.config.latent.bottleneck != "gaussian" or elapsed < 0:
            return 0.0
        if kl.warmup_epochs == "auto":
            raise ValueError("the configuration is not resolved: kl.warmup_epochs")
        position = elapsed + (batch_share if kl.warmup_by == "step" else 0.0)
        fraction = warmup_fraction_at(position, kl.warmup_start_epoch, kl.warmup_epochs)
        return kl.max_weight * fraction * kl.factor

    def temperature(self, epoch: int) -> float:
        """Latent temperature in training."""
        latent, elapsed = self.config.latent, self._latent_epoch(epoch)
        if latent.bottleneck != "gaussian" or elapsed < 0:
            return 0.0
        return temperature_at(elapsed, latent.temperature, latent.temperature_warmup_epochs)

    def is_vision_frozen(self, epoch: int) -> bool:
        """Whether the backbone is frozen."""
        frozen = self.config.vision.freeze_epochs
        return isinstance(frozen, int) and frozen > 0 and self._latent_epoch(epoch) < frozen

    def _latent_epoch(self, epoch: int) -> int:
        """Epochs since the first one with a latent."""
        return epoch - self.config.stages.baseline
