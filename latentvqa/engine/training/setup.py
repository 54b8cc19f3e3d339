"""Everything between a configuration and a trainer that is ready to run."""

from __future__ import annotations

import platform
from itertools import chain
from pathlib import Path

import torch

import latentvqa
from latentvqa.config import KL, Config
from latentvqa.config.resolving import resolve, resolve_augment, resolve_by_data
from latentvqa.core.figures import counted
from latentvqa.core.records import RunHeader, StagePlan
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.assembly import UNTRAINED, build_model, pretrained_weights
from latentvqa.engine.augmentation import FALSIFIED, falsified
from latentvqa.engine.language.reading import read_text_parts
from latentvqa.engine.memory import require_memory
from latentvqa.engine.runs.starting_weights import StartingWeights, read_starting_weights
from latentvqa.engine.runtime.device import choose_device, choose_precision
from latentvqa.engine.runtime.observer import Observer, ProgressAlone
from latentvqa.engine.runtime.settings import Settings
from latentvqa.engine.specification import ModelSpecification, specify
from latentvqa.engine.training.data import (
    Split,
    Tables,
    materialise_scenes,
    open_split,
    read_tables,
)
from latentvqa.engine.training.schedules import Schedules
from latentvqa.engine.training.trainer import Trainer
from latentvqa.models import VQAModel, require_weights_file


def begin(
    config: Config, data_folder: Path, observer: Observer, split: Path | None = None
) -> tuple[Settings, Tables]:
    """Resolve what depends on the machine, and read the tables."""
    if config.run.threads != "auto":
        torch.set_num_threads(config.run.threads)
    device = choose_device(config.run.device)
    precision = choose_precision(config.run.precision, device)
    config = resolve(config).replace(
        "run", device=str(device), precision=precision, threads=torch.get_num_threads()
    )
    weights = config.vision.pretrained
    if isinstance(weights, Path) and not config.vision.blind and config.run.init_from is None:
        require_weights_file(weights)  # before anything is made
    config = materialise_scenes(config, data_folder, observer)
    tables = read_tables(config, observer, split if config.data.val is None else None)
    return Settings(config, device, precision), tables


def new_model(
    settings: Settings, spec: ModelSpecification, beginning: StartingWeights | None = None
) -> tuple[VQAModel, str]:
    """Build a model whose weights depend on ``run.seed`` and the files it begins with.

    Args:
        settings: configuration and device.
        spec: its shape.
        beginning: weights that replace what it would begin with.

    Returns:
        The model on its device, and what it begins with; empty where nothing is taken.
    """
    config = settings.config
    schedules = Schedules(config)
    is_trained = schedules.frozen_epochs < schedules.epochs
    require_memory(spec, settings.device, is_backbone_trained=is_trained)
    torch.manual_seed(config.run.seed)
    weights = pretrained_weights(config) if beginning is None else UNTRAINED
    model = build_model(spec, weights)
    taken = "" if beginning is None else beginning.give_to(model)
    return place(model, settings.device), taken


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
    *,
    is_told: bool = False,
) -> Trainer:
    """Open both sides of the data and put a trainer together.

    What depends on the encoded answers is resolved here, in ``settings``.

    Args:
        settings: configuration and device.
        model: on its device.
        tokenizers: of questions and answers.
        tables: both sides of the data.
        observer: of the training.
        is_told: whether it was told before what is to be said of the data.

    Raises:
        ConfigError: if a resolved key does not go with another one.
        DataError: if images cannot be decoded.
    """
    preparation, workers = model.vision.preparation, settings.config.loader.workers
    processes = DecodingProcesses(workers) if workers else None
    listener = ProgressAlone(observer) if is_told else observer

    def opened(table: QuestionTable, name: str) -> Split:
        return open_split(
            settings.config, table, tokenizers, preparation, listener, name, processes
        )

    train, val = opened(tables.train, "training"), opened(tables.val, "validation")
    config = resolve_by_data(
        settings.config, answer_entropy=train.answer_entropy, questions=len(train.encoded)
    )
    settings.begin_with(_with_augment(config, tables.train, listener))
    return Trainer(
        settings=settings,
        model=model,
        tokenizers=tokenizers,
        train=train,
        val=val,
        observer=observer,
    )


def _with_augment(config: Config, table: QuestionTable, observer: Observer) -> Config:
    """Decide which changes of the images the training texts allow, and say what they forbid."""
    is_open = {key: getattr(config.augment, key) == "auto" for key in FALSIFIED}
    if not any(is_open.values()):
        return config
    found = falsified(chain(table.questions, table.targets))
    for key, spoken_of in (("flip", "left or right"), ("colour", "a colour")):
        if is_open[key] and found[key]:
            observer.notice(
                f"augment.{key} auto: none, because {spoken_of} is spoken of in "
                f"{counted(found[key], 'training text')}"
            )
    return resolve_augment(config, found)


class NewModel:
    """A model that is to be trained: its words, its shape, and what it begins with."""

    def __init__(self, settings: Settings, tables: Tables) -> None:
        self.settings, self.tables = settings, tables
        self._is_told = False
        source, text = settings.config.run.init_from, settings.config.text
        self.beginning = None if source is None else read_starting_weights(source)
        read = read_text_parts if self.beginning is None else self.beginning.text_parts
        parts = read(text, tables.train)
        self.tokenizers = parts.tokenizers
        self.spec = specify(
            settings.config, parts.tokenizers, parts.question_model, parts.answer_model
        )

    def trainer(self, observer: Observer) -> Trainer:
        """A new model, ready to be trained."""
        model, taken = new_model(self.settings, self.spec, self.beginning)
        is_told, self._is_told = self._is_told, True
        if taken and not is_told:
            observer.notice(taken)
        return make_trainer(
            self.settings, model, self.tokenizers, self.tables, observer, is_told=is_told
        )


def make_header(name: str, trainer: Trainer, tables: Tables) -> RunHeader:
    """Make the first line of a run's log."""
    settings, config = trainer.settings, trainer.settings.config
    skipped = {"train": trainer.train.skipped, "val": trainer.val.skipped}
    stages, vision, kl = config.stages, config.vision, config.kl
    return RunHeader(
        kl=settings.kl,
        stages=StagePlan(stages.baseline, stages.warmup, stages.full),
        temperature=config.latent.temperature,
        validation_temperature=config.latent.validation_temperature,
        kl_schedule=kl.schedule,
        warmup_epochs=_warmup_epochs(kl),
        vision_frozen_epochs=trainer.schedules.frozen_epochs,
        teacher_weight=config.teacher.weight,
        target=config.early_stopping.target,
        patience=trainer.patience,
        name=name,
        seed=config.run.seed,
        versions=_versions(),
        data={**tables.fingerprints, "skipped": skipped},
        thresholds=config.kl_health.model_dump(),
        blind={} if trainer.floor is None else trainer.floor.val.by_name(),
        sees_images=not vision.blind,
    )


def _warmup_epochs(kl: KL) -> int | None:
    """Epochs until the weight stays at its full height; None under a controller."""
    if kl.schedule == "controller" or not isinstance(kl.warmup_epochs, int):
        return None
    return 0 if kl.schedule == "constant" else kl.warmup_epochs


def _versions() -> dict[str, str]:
    return {
        "latentvqa": latentvqa.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
