"""Everything between a configuration and a trainer that is ready to run."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import torch

import latentvqa
from latentvqa.config import KL, Config
from latentvqa.core.free_bits import automatic_free_bits
from latentvqa.core.records import RunHeader, StagePlan
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.assembly import (
    ModelSpecification,
    build_model,
    components,
    resolve,
    resolve_free_bits,
)
from latentvqa.engine.device import choose_device, choose_precision
from latentvqa.engine.interruption import StopFlag
from latentvqa.engine.observer import Observer, Plan
from latentvqa.engine.optimization import peak_rates
from latentvqa.engine.preparation import (
    Split,
    Tables,
    materialise_scenes,
    open_split,
    read_tables,
)
from latentvqa.engine.settings import Settings
from latentvqa.engine.trainer import Trainer
from latentvqa.models import VQAModel

# below this many optimizer steps a model from scratch seldom leaves its plateau
FEW_STEPS = 3000


def begin(
    config: Config, data_folder: Path, observer: Observer, split: Path | None = None
) -> tuple[Config, Settings, Tables]:
    """Resolve what depends on the machine, and read the tables."""
    if config.run.threads != "auto":
        torch.set_num_threads(config.run.threads)
    device = choose_device(config.run.device)
    precision = choose_precision(config.run.precision, device)
    config = resolve(config).replace(
        "run", device=str(device), precision=precision, threads=torch.get_num_threads()
    )
    config = materialise_scenes(config, data_folder, observer)
    tables = read_tables(config, observer, split if config.data.val is None else None)
    return config, Settings(config, device, precision), tables


def new_model(config: Config, spec: ModelSpecification, device: torch.device) -> VQAModel:
    """Build a model whose weights depend on ``run.seed`` alone."""
    torch.manual_seed(config.run.seed)
    return place(build_model(spec, pretrained=config.vision.pretrained), device)


def place(model: VQAModel, device: torch.device) -> VQAModel:
    """Move a model to its device."""
    # convolutions are faster with channels last on every device
    model.vision.backbone.to(memory_format=torch.channels_last)
    return model.to(device)


def make_trainer(
    settings: Settings,
    model: VQAModel,
    tokenizers: Tokenizers,
    tables: Tables,
    observer: Observer,
    stop: StopFlag,
) -> Trainer:
    """Open both sides of the data and put a trainer together.

    What depends on the encoded answers is resolved here: the trainer's
    configuration is the one to go on with.

    Raises:
        ConfigError: if a resolved key does not go with another one.
        DataError: if images cannot be decoded.
    """
    preparation = model.vision.preparation

    def opened(table: QuestionTable, name: str) -> Split:
        return open_split(settings.config, table, tokenizers, preparation, observer, name)

    train, val = opened(tables.train, "training"), opened(tables.val, "validation")
    config = resolve_free_bits(settings.config, train.answer_entropy)
    return Trainer(
        settings=replace(settings, config=config),
        model=model,
        tokenizers=tokenizers,
        train=train,
        val=val,
        observer=observer,
        stop=stop,
    )


def make_header(name: str, trainer: Trainer, tables: Tables) -> RunHeader:
    """Make the first line of a run's log."""
    settings, config = trainer.settings, trainer.config
    skipped = {"train": trainer.train.skipped, "val": trainer.val.skipped}
    stages, vision, kl = config.stages, config.vision, config.kl
    return RunHeader(
        kl=settings.kl,
        stages=StagePlan(stages.baseline, stages.warmup, stages.full),
        temperature=config.latent.temperature,
        validation_temperature=config.latent.validation_temperature,
        kl_schedule=kl.schedule,
        warmup_epochs=_warmup_epochs(kl),
        vision_frozen_epochs=vision.freeze_epochs
        if isinstance(vision.freeze_epochs, int)
        else None,
        teacher_weight=config.teacher.weight,
        target=config.early_stopping.target,
        patience=config.early_stopping.patience,
        name=name,
        seed=config.run.seed,
        versions=_versions(),
        data={**tables.fingerprints, "skipped": skipped},
        thresholds=config.kl_health.model_dump(),
    )


def _warmup_epochs(kl: KL) -> int | None:
    """Epochs until the weight stays at its full height; None under a controller."""
    if kl.schedule == "controller" or not isinstance(kl.warmup_epochs, int):
        return None
    return 0 if kl.schedule == "constant" else kl.warmup_epochs


def announce(trainer: Trainer) -> None:
    """Tell the plan, and a warning where it is short."""
    plan = _plan(trainer)
    trainer.observer.planned(plan)
    # the easy scenes are measured to need fewer
    if plan.steps < FEW_STEPS and trainer.config.data.scenes != "easy":
        trainer.observer.notice(
            f"warning: only {plan.steps:,} optimizer steps are planned; below {FEW_STEPS:,} "
            "a model from scratch seldom learns to look at the image. More epochs, more questions "
            "or a smaller loader.batch_size would help."
        )


def _plan(trainer: Trainer) -> Plan:
    config, train_table = trainer.config, trainer.train.encoded.table
    val_table = trainer.val.encoded.table
    frozen = config.vision.freeze_epochs
    weight = config.kl.max_weight * config.kl.factor
    weight = weight if config.latent.bottleneck == "gaussian" else 0.0
    found = components(trainer.model)
    return Plan(
        train_questions=len(train_table),
        train_images=len(train_table.image_paths),
        val_questions=len(val_table),
        val_images=len(val_table.image_paths),
        parameters={
            name: sum(parameter.numel() for _, parameter in members)
            for name, members in found.items()
        },
        peak_rates={name: rate for name, rate in peak_rates(config).items() if name in found},
        frozen_epochs=frozen if isinstance(frozen, int) else 0,
        steps_per_epoch=trainer.steps_per_epoch,
        epochs=trainer.recipe.epochs,
        effective_weight=weight,
        kl_schedule=_schedule_in_words(config.kl),
        free_bits=trainer.settings.kl.free_bits,
        free_bits_origin=_free_bits_origin(trainer),
        beta=trainer.beta(weight),
        answer_entropy=trainer.answer_entropy,
        patches=trainer.model.vision.patches,
        device=str(trainer.settings.device),
        precision=trainer.settings.precision,
    )


def _schedule_in_words(kl: KL) -> str:
    """What becomes of the full weight, as the end of a sentence about it."""
    start = kl.warmup_start_epoch
    return {
        "linear": "after warm-up",
        "constant": f"from epoch {start} of the warmup stage",
        "cyclical": f"at the top of {kl.cycles} cycles over {kl.warmup_epochs} epochs",
        "controller": f"at most, to hold kl_raw at {kl.set_point}",
    }[kl.schedule]


def _free_bits_origin(trainer: Trainer) -> str:
    """The reckoning of ``kl.free_bits = "auto"``; empty where the number is not its."""
    kl, per_need = trainer.settings.kl, trainer.config.kl.free_bits_per_need
    entropy = trainer.answer_entropy
    if kl.free_bits != automatic_free_bits(entropy, per_need, kl.tokens, kl.dims, kl.reduction):
        return ""
    divisor = f"({kl.tokens} x {kl.dims})" if kl.reduction == "mean" else f"{kl.tokens}"
    return f"{per_need:g} x H(A) {entropy:.3g} / {divisor} = {kl.free_bits:.3g}"


def _versions() -> dict[str, str]:
    return {
        "latentvqa": latentvqa.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
