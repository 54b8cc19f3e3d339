"""How long a run will take, and how to fit it to the minutes there are."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import torch

from latentvqa.config import Config
from latentvqa.core.records import Stage
from latentvqa.data.batches import Batch, make_batch
from latentvqa.engine.language.remembering import remember_questions
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.training.schedules import Schedules
from latentvqa.engine.training.trainer import Trainer

_BATCHES = 4  # that are used again and again
_UNTIMED_STEPS, _TIMED_STEPS, _LEAST_TIMED_STEPS = 2, 9, 3
_MOST_SECONDS = 10.0  # of timed steps, if there are enough
# checkpoints, logging and slower moments
_MARGIN = 1.08
_MEBIBYTE = 2**20

# what decides how long an epoch takes: its stage, and whether the backbone is frozen
EpochKind = tuple[Stage, bool]


@dataclass(frozen=True)
class RunSeconds:
    """Estimated seconds of a run.

    Attributes:
        once: what is encoded once before the first step.
        epochs: of an epoch of each kind, validation included.
    """

    once: float
    epochs: Mapping[EpochKind, float]

    def total(self, config: Config) -> float:
        """Seconds of all planned epochs, and of what comes before them."""
        return self.once + sum(self._of(kind) for kind in _kinds(config))

    def _of(self, kind: EpochKind) -> float:
        stage, is_frozen = kind
        same_stage = {known: value for known, value in self.epochs.items() if known[0] == stage}
        return self.epochs.get((stage, is_frozen), max(same_stage.values(), default=0.0))


def measure_seconds(trainer: Trainer) -> RunSeconds:
    """Time a few steps of each kind of epoch; the trainer is not to be used afterwards.

    Frozen parts are timed as training has them: what they say of the images and
    questions of these steps is reckoned first, and its time taken for all others.
    The model is trained by it: build a new one for the run.
    """
    planned = trainer.batches(0)
    rows = [planned[step % len(planned)] for step in range(_BATCHES)]
    pixels = [make_batch(trainer.train.encoded, trainer.train.store, some) for some in rows]
    kinds = dict.fromkeys(_kinds(trainer.settings.config))
    once, frozen = _remembered(trainer, pixels), pixels
    if any(is_frozen for _, is_frozen in kinds):
        frozen, seconds = _with_features(trainer, pixels)
        once += seconds
    share = len(trainer.val.encoded) / len(trainer.train.encoded)
    # validation has no backward pass but decodes: about half a step per batch
    per_epoch = trainer.steps_per_epoch * (1.0 + 0.5 * share) * _MARGIN
    epochs = {}
    for stage, is_frozen in kinds:
        trainer.model.vision.freeze(is_frozen)
        batches = frozen if is_frozen else pixels
        epochs[stage, is_frozen] = _seconds_per_step(trainer, stage, batches) * per_epoch
    return RunSeconds(once, epochs)


def fit_to_budget(config: Config, seconds: RunSeconds) -> Config:
    """Shorten stages, warm-ups and freezing in proportion, never lengthen them.

    Every stage that was planned keeps at least one epoch.
    """
    if config.run.max_minutes is None:
        return config
    left = config.run.max_minutes * 60 - seconds.once
    scale = max(left, 0.0) / max(seconds.total(config) - seconds.once, 1e-9)
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


def _kinds(config: Config) -> list[EpochKind]:
    """The kind of every planned epoch; the baseline stage takes as long as the warm-up."""
    schedules = Schedules(config)
    found: list[EpochKind] = []
    for epoch in range(schedules.epochs):
        stage = schedules.stage(epoch)
        counted: Stage = "full" if stage == "full" else "warmup"
        found.append((counted, schedules.is_vision_frozen(epoch)))
    return found


def _seconds_per_step(trainer: Trainer, stage: Stage, batches: Sequence[Batch]) -> float:
    """The median of some steps; the first ones, which also warm up, are not timed."""
    trainer.model.train()
    times: list[float] = []
    for batch in islice(cycle(batches), _UNTIMED_STEPS + _TIMED_STEPS):
        start = time.perf_counter()
        trainer.step(batch, stage, _UNTIMED_STEPS + _TIMED_STEPS)
        if trainer.settings.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
        timed = times[_UNTIMED_STEPS:]
        if len(timed) >= _LEAST_TIMED_STEPS and sum(timed) > _MOST_SECONDS:
            break
    return statistics.median(times[_UNTIMED_STEPS:])


def _remembered(trainer: Trainer, batches: Sequence[Batch]) -> float:
    """Let a frozen question encoder remember some batches; seconds for all questions."""
    table = trainer.train.encoded
    asked = [table.question_ids(row) for batch in batches for row in batch.rows.tolist()]
    start = time.perf_counter()
    remember_questions(trainer.model, asked, trainer.settings.device, trainer.observer)
    each = (time.perf_counter() - start) / len({tuple(ids) for ids in asked})
    sides = (trainer.train.encoded, trainer.val.encoded)
    return each * sum(len(side.distinct_questions()) for side in sides)


@torch.no_grad()
def _with_features(trainer: Trainer, batches: Sequence[Batch]) -> tuple[list[Batch], float]:
    """Batches as a frozen backbone leaves them, and the seconds it takes for all images."""
    settings, vision = trainer.settings, trainer.model.vision
    images = sum(len(side.store.paths) for side in (trainer.train, trainer.val))
    vision.freeze(True)
    found, seconds = [], []
    for batch in batches:
        start = time.perf_counter()
        with autocast(settings.device, settings.precision):
            features = vision.features(batch.images.to(settings.device)).cpu()
        seconds.append((time.perf_counter() - start) / len(features))
        found.append(replace(batch, images=features))
    one = found[0].images[0].nbytes * images / _MEBIBYTE
    if one > settings.config.loader.feature_mib:
        return list(batches), 0.0  # there is no room: it is asked in every step
    return found, min(seconds) * images
