"""How long a run will take, and how to fit it to the minutes there are."""

from __future__ import annotations

from dataclasses import dataclass

from latentvqa.config import Config
from latentvqa.engine.training.trainer import Trainer

_MEASURED_STEPS = 3
# checkpoints, logging and slower moments
_MARGIN = 1.08


@dataclass(frozen=True)
class EpochSeconds:
    """Estimated seconds of an epoch, validation included, by stage."""

    warmup: float
    full: float

    def total(self, config: Config) -> float:
        """Seconds of all planned epochs."""
        stages = config.stages
        return (stages.baseline + stages.warmup) * self.warmup + stages.full * self.full


def measure_seconds(trainer: Trainer) -> EpochSeconds:
    """Time a few steps of each stage; the trainer is not to be used afterwards.

    The model is trained by it: build a new one for the run.
    """
    steps = trainer.steps_per_epoch
    share = len(trainer.val.encoded) / len(trainer.train.encoded)
    warmup = trainer.time_steps("warmup", _MEASURED_STEPS)
    full = trainer.time_steps("full", _MEASURED_STEPS)
    # validation has no backward pass but decodes: about half a step per batch
    per_epoch = steps * (1.0 + 0.5 * share) * _MARGIN
    return EpochSeconds(warmup=warmup * per_epoch, full=full * per_epoch)


def fit_to_budget(config: Config, seconds: EpochSeconds) -> Config:
    """Shorten stages, warm-ups and freezing in proportion, never lengthen them.

    Every stage that was planned keeps at least one epoch.
    """
    if config.run.max_minutes is None:
        return config
    scale = config.run.max_minutes * 60 / max(seconds.total(config), 1e-9)
    if scale >= 1.0:
        return config

    def scaled(epochs: object, least: int = 0) -> int:
        if not isinstance(epochs, int):
            raise TypeError("the configuration is not resolved")
        return max(int(epochs * scale), min(least, epochs))

    stages = config.stages
    config = config.replace(
        "stages",
        baseline=scaled(stages.baseline, 1),
        warmup=scaled(stages.warmup, 1),
        full=scaled(stages.full, 1),
    )
    config = config.replace(
        "kl",
        warmup_start_epoch=scaled(config.kl.warmup_start_epoch),
        warmup_epochs=scaled(config.kl.warmup_epochs, 1),
    )
    config = config.replace("vision", freeze_epochs=scaled(config.vision.freeze_epochs))
    config = config.replace("data", first_epochs=scaled(config.data.first_epochs, 1))
    ramp = scaled(config.latent.temperature_warmup_epochs, 1)
    return config.replace("latent", temperature_warmup_epochs=ramp)
