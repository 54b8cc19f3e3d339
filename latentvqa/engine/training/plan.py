"""The plan of a run, announced before its first step."""

from __future__ import annotations

from latentvqa.config import KL
from latentvqa.core.figures import counted
from latentvqa.core.schedules.free_bits import automatic_free_bits
from latentvqa.engine.assembly import components
from latentvqa.engine.memory import BYTES_PER_TRAINED_WEIGHT, BYTES_PER_WEIGHT
from latentvqa.engine.runtime.observer import TrainingPlan
from latentvqa.engine.training.optimizer import peak_rates
from latentvqa.engine.training.trainer import Trainer

# below this many optimizer steps a model from scratch seldom leaves its plateau
FEW_STEPS = 3000


def announce(trainer: Trainer) -> None:
    """Tell the plan, and a warning where it is short."""
    plan = _plan(trainer)
    trainer.observer.planned(plan)
    # the easy scenes are measured to need fewer
    if plan.steps < FEW_STEPS and trainer.settings.config.data.scenes != "easy":
        trainer.observer.notice(
            f"warning: only {counted(plan.steps, 'optimizer step')} planned; below {FEW_STEPS:,} "
            "a model from scratch seldom learns to look at the image. More epochs, more questions "
            "or a smaller loader.batch_size would help."
        )


def _plan(trainer: Trainer) -> TrainingPlan:
    config, train_table = trainer.settings.config, trainer.train.encoded.table
    val_table = trainer.val.encoded.table
    weight = config.kl.max_weight * config.kl.factor
    weight = weight if config.latent.bottleneck == "gaussian" else 0.0
    found = components(trainer.model)
    return TrainingPlan(
        train_questions=len(train_table),
        train_images=len(train_table.image_paths),
        val_questions=len(val_table),
        val_images=len(val_table.image_paths),
        parameters={
            name: sum(parameter.numel() for _, parameter in members)
            for name, members in found.items()
        },
        peak_rates={name: rate for name, rate in peak_rates(config).items() if name in found},
        frozen_epochs=trainer.schedules.frozen_epochs,
        batch_size=int(config.loader.batch_size),  # no longer "auto"
        steps_per_epoch=trainer.steps_per_epoch,
        epochs=trainer.schedules.epochs,
        effective_weight=weight,
        kl_schedule=_schedule_in_words(config.kl),
        free_bits=trainer.settings.kl.free_bits,
        free_bits_origin=_free_bits_origin(trainer),
        beta=trainer.beta(weight),
        answer_entropy=trainer.answer_entropy,
        patches=trainer.model.vision.patches,
        device=str(trainer.settings.device),
        precision=trainer.settings.precision,
        memory=_memory(trainer),
    )


def _memory(trainer: Trainer) -> int:
    """Bytes that training surely needs, as :mod:`latentvqa.engine.memory` counts them."""
    is_never_trained = trainer.schedules.frozen_epochs >= trainer.schedules.epochs
    backbone = {id(one) for one in trainer.model.vision.backbone.parameters()}
    total = 0
    for parameter in trainer.model.parameters():
        is_frozen = is_never_trained and id(parameter) in backbone
        is_trained = parameter.requires_grad and not is_frozen
        total += parameter.numel() * (BYTES_PER_TRAINED_WEIGHT if is_trained else BYTES_PER_WEIGHT)
    return total


def _schedule_in_words(kl: KL) -> str:
    """What becomes of the full weight, as the end of a sentence about it."""
    start, cycles = kl.warmup_start_epoch, counted(kl.cycles, "cycle")
    return {
        "linear": "after warm-up",
        "constant": f"from epoch {start} of the warmup stage",
        "cyclical": f"at the top of {cycles} over {counted(int(kl.warmup_epochs), 'epoch')}",
        "controller": f"at most, to hold kl_raw at {kl.set_point}",
    }[kl.schedule]


def _free_bits_origin(trainer: Trainer) -> str:
    """The reckoning of ``kl.free_bits = "auto"``; empty where the number is not its."""
    kl, per_need = trainer.settings.kl, trainer.settings.config.kl.free_bits_per_need
    entropy = trainer.answer_entropy
    if kl.free_bits != automatic_free_bits(entropy, per_need, kl.tokens, kl.dims, kl.reduction):
        return ""
    divisor = f"({kl.tokens} x {kl.dims})" if kl.reduction == "mean" else f"{kl.tokens}"
    return f"{per_need:g} x H(A) {entropy:.3g} / {divisor} = {kl.free_bits:.3g}"
