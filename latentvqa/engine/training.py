"""A training run from its configuration to its finished folder, and its resumption."""

from __future__ import annotations

import hashlib
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import latentvqa
from latentvqa.config import Config, changed_keys
from latentvqa.core.diagnosis import Diagnosis, diagnose
from latentvqa.core.record_codec import decode_epoch, encode_epoch
from latentvqa.core.records import EpochRecord, KLConvention, RunHeader, StagePlan
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.assembly import (
    ModelSpecification,
    build_model,
    components,
    resolve,
    specify,
)
from latentvqa.engine.budget import fit_to_budget, measure_seconds
from latentvqa.engine.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from latentvqa.engine.device import choose_device, choose_precision
from latentvqa.engine.interruption import Interrupted, StopFlag, StoppableObserver
from latentvqa.engine.observer import Observer, Plan
from latentvqa.engine.optimization import load_optimizer_state, optimizer_state, peak_rates
from latentvqa.engine.preparation import (
    Split,
    Tables,
    materialise_scenes,
    open_split,
    read_tables,
    train_tokenizers,
    write_split_file,
)
from latentvqa.engine.run_folder import DATA_FOLDER, SPLIT_FILE, read_config, write_config
from latentvqa.engine.trainer import Progress, Settings, Trainer
from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.history import LOG_NAME, append_record, read_history, reconcile, write_header
from latentvqa.models import VQAModel

# below this many optimizer steps a model from scratch seldom leaves its plateau
FEW_STEPS = 3000
_FREE_TO_CHANGE = (
    "run.",
    "loader.workers",
    "loader.cache_mib",
    "early_stopping.patience",
    "stages.",
)


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        run: its folder.
        header: first line of its log.
        records: its epochs.
        diagnosis: the verdict on it.
        is_stopped_early: patience ran out before the planned end.
    """

    run: Path
    header: RunHeader
    records: Sequence[EpochRecord]
    diagnosis: Diagnosis
    is_stopped_early: bool


def train(config: Config, run: Path, observer: Observer) -> Outcome:
    """Train a new model into an empty run folder, made if it is missing.

    Raises:
        LatentVQAError: for anything wrong with data, backbone or disk.
        Interrupted: at a signal, after ``last`` was saved if an epoch had begun.
    """
    is_ours = not run.exists() or not any(run.iterdir())
    with StopFlag() as stop:
        try:
            run.mkdir(parents=True, exist_ok=True)
            session = _open_session(config, run, StoppableObserver(observer, stop), stop)
        except BaseException:
            if is_ours and not (run / LOG_NAME).exists():  # nothing of worth is in it yet
                shutil.rmtree(run, ignore_errors=True)
            raise
        return session.finish()


def resume(run: Path, config: Config | None, observer: Observer) -> Outcome:
    """Continue a run from its ``last`` checkpoint, bit for bit on a CPU.

    Args:
        run: the run folder.
        config: a changed configuration; only ``run.*``, worker counts, patience
            and epochs may differ.
        observer: hears of progress.

    Raises:
        ConfigError: listing keys that must not change.
        CheckpointError: if there is nothing to continue from or the data changed.
    """
    known = read_config(run)
    if config is not None:
        config = _continued(known, config)
    with StopFlag() as stop:
        stoppable = StoppableObserver(observer, stop)
        return _reopen_session(config or known, run, stoppable, stop).finish()


def dry_run(config: Config, folder: Path, observer: Observer) -> float:
    """Check configuration and data, tell the plan, and estimate the time.

    Args:
        config: what would be trained.
        folder: for generated scenes; nothing else is written.
        observer: hears of the plan.

    Returns:
        Estimated seconds of the whole run.
    """
    with StopFlag() as stop:
        observer = StoppableObserver(observer, stop)
        config, settings, tables = _begin(config, folder, observer)
        tokenizers = train_tokenizers(config, tables.train)
        model = _new_model(config, specify(config, tokenizers), settings.device)
        trainer = _trainer(settings, model, tokenizers, tables, observer, stop)
        seconds = measure_seconds(trainer)
        if config.run.max_minutes is not None:
            trainer.refit(fit_to_budget(config, seconds))
        _announce(trainer)
        return seconds.total(trainer.config)


class _Session:
    """Between epochs: checkpoint first, then the log line."""

    def __init__(
        self,
        run: Path,
        header: RunHeader,
        trainer: Trainer,
        spec: ModelSpecification,
        records: Sequence[EpochRecord],
    ) -> None:
        self.run, self.header, self.trainer, self.spec = run, header, trainer, spec
        self.records = list(records)
        self._last_save = time.monotonic()

    def finish(self) -> Outcome:
        trainer, progress = self.trainer, self.trainer.progress
        _announce(trainer)
        thresholds = trainer.config.kl_health
        while progress.epoch < trainer.epochs and not progress.is_stopped:
            try:
                record = trainer.run_epoch(self._save_if_due)
            except Interrupted:
                self._save()
                raise
            self.records.append(record)
            self._save(is_best=progress.best_epoch == record.epoch)
            append_record(self.run / LOG_NAME, record)
            diagnosis = diagnose(self.header, self.records, thresholds)
            trainer.observer.epoch(self.header, self.records, diagnosis)
        return Outcome(
            run=self.run,
            header=self.header,
            records=self.records,
            diagnosis=diagnose(self.header, self.records, thresholds),
            is_stopped_early=progress.is_stopped,
        )

    def _save_if_due(self) -> None:
        waited = (time.monotonic() - self._last_save) / 60
        if waited >= self.trainer.config.run.checkpoint_minutes:
            self._save()

    def _save(self, is_best: bool = False) -> None:
        trainer, progress = self.trainer, self.trainer.progress
        tensors = {
            **optimizer_state(trainer.optimizer),
            **{f"measures.{name}": value for name, value in trainer.measures.state().items()},
            **{f"sums.{name}": value for name, value in trainer.sums.items()},
            "rng.cpu": torch.get_rng_state(),
        }
        if trainer.settings.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(trainer.settings.device)
        model = {
            "specification": self.spec.to_json(),
            "epoch": self.records[-1].epoch if self.records else None,
            "step": progress.step,
            "record": encode_epoch(self.records[-1]) if self.records else None,
            "latent": trainer.config.latent.model_dump(),
            "kl": trainer.config.kl.model_dump(),
            "seed": trainer.config.run.seed,
            "precision": trainer.settings.precision,
            "versions": dict(self.header.versions),
        }
        save_checkpoint(
            self.run,
            f"{progress.epoch:04d}-{progress.step:08d}",
            weights=trainer.model.state_dict(),
            model=model,
            tokenizers=trainer.tokenizers.to_json(),
            trainer_tensors=tensors,
            trainer={"progress": progress.to_json(), "platform": _platform()},
            is_best=is_best,
        )
        self._last_save = time.monotonic()


def _open_session(config: Config, run: Path, observer: Observer, stop: StopFlag) -> _Session:
    config, settings, tables = _begin(config, run / DATA_FOLDER, observer)
    tokenizers = train_tokenizers(config, tables.train)
    spec = specify(config, tokenizers)
    model = _new_model(config, spec, settings.device)
    trainer = _trainer(settings, model, tokenizers, tables, observer, stop)
    if config.run.max_minutes is not None:
        config = fit_to_budget(config, measure_seconds(trainer))
        observer.notice(
            f"run.max_minutes = {config.run.max_minutes:g}: stages fitted to "
            f"{config.stages.warmup} warm-up and {config.stages.full} full epochs"
        )
        settings = Settings(config, settings.kl, settings.device, settings.precision)
        model = _new_model(config, spec, settings.device)
        trainer = _trainer(settings, model, tokenizers, tables, observer, stop)
    header = _header(run.name, settings, tables)
    write_config(run, config)
    write_split_file(run, tables)
    write_header(run / LOG_NAME, header)
    torch.manual_seed(config.run.seed)
    return _Session(run, header, trainer, spec, [])


def _reopen_session(config: Config, run: Path, observer: Observer, stop: StopFlag) -> _Session:
    checkpoint = load_checkpoint(run / "last")
    for note in checkpoint.notes:
        observer.notice(f"warning: {note}")
    _require_same_data(config, run)
    config, settings, tables = _begin(config, run / DATA_FOLDER, observer, run / SPLIT_FILE)
    tokenizers = Tokenizers.from_json(checkpoint.tokenizers)
    spec = ModelSpecification.from_json(checkpoint.model["specification"], checkpoint.folder)
    model = build_model(spec)
    model.load_state_dict(dict(checkpoint.weights))
    trainer = _trainer(
        settings, _placed(model, settings.device), tokenizers, tables, observer, stop
    )
    records = _reconciled_records(checkpoint, run, observer)
    _restore(trainer, checkpoint, observer)
    write_config(run, config)
    header = read_history(run).header
    return _Session(run, header, trainer, spec, records)


def _begin(
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
    return config, Settings(config, _convention(config), device, precision), tables


def _new_model(config: Config, spec: ModelSpecification, device: torch.device) -> VQAModel:
    torch.manual_seed(config.run.seed)
    return _placed(build_model(spec, pretrained=config.vision.pretrained), device)


def _placed(model: VQAModel, device: torch.device) -> VQAModel:
    # convolutions are faster with channels last on every device
    model.vision.backbone.to(memory_format=torch.channels_last)
    return model.to(device)


def _trainer(
    settings: Settings,
    model: VQAModel,
    tokenizers: Tokenizers,
    tables: Tables,
    observer: Observer,
    stop: StopFlag,
) -> Trainer:
    preparation = model.vision.preparation

    def opened(table: Any, name: str) -> Split:
        return open_split(settings.config, table, tokenizers, preparation, observer, name)

    return Trainer(
        settings=settings,
        model=model,
        tokenizers=tokenizers,
        train=opened(tables.train, "training"),
        val=opened(tables.val, "validation"),
        observer=observer,
        stop=stop,
    )


def _restore(trainer: Trainer, checkpoint: Checkpoint, observer: Observer) -> None:
    state, tensors = checkpoint.trainer, checkpoint.trainer_tensors
    trainer.progress = Progress(**state["progress"])
    # more patience or epochs than before may let a stopped run go on
    stopping = trainer.config.early_stopping
    trainer.progress.is_stopped = trainer.progress.patience_used >= stopping.patience
    load_optimizer_state(trainer.optimizer, tensors)
    trainer.measures.load_state(_with_prefix(tensors, "measures."))
    device = trainer.settings.device
    trainer.sums |= {k: v.to(device) for k, v in _with_prefix(tensors, "sums.").items()}
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"], device)
    now = _platform()
    changed = [
        f"{key} {old} -> {now[key]}" for key, old in state["platform"].items() if old != now[key]
    ]
    if changed:
        observer.notice(
            "warning: the run continues, but not bit for bit as it would have: "
            f"{', '.join(changed)}"
        )


def _with_prefix(tensors: Any, prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _reconciled_records(checkpoint: Checkpoint, run: Path, observer: Observer) -> list[EpochRecord]:
    encoded = checkpoint.model["record"]
    if encoded is None:  # interrupted inside the first epoch
        return []
    record, _ = decode_epoch(encoded)
    if record is None:
        raise CheckpointError(f"{checkpoint.folder}: its epoch record cannot be read")
    note = reconcile(run / LOG_NAME, record)
    if note:
        observer.notice(note)
    return [known for known in read_history(run).records if known.epoch <= record.epoch]


def _continued(known: Config, wanted: Config) -> Config:
    """The known configuration with the changes that a resumption allows."""
    wanted = resolve(wanted)
    refused = {
        key: values
        for key, values in changed_keys(known, wanted).items()
        if not key.startswith(_FREE_TO_CHANGE)
    }
    if refused:
        lines = [f"  {key}: {old!r} -> {new!r}" for key, (old, new) in refused.items()]
        raise ConfigError(
            "--resume cannot change these keys; start a new run for them:\n" + "\n".join(lines)
        )
    return wanted


def _require_same_data(config: Config, run: Path) -> None:
    header = read_history(run).header
    for role, path in (("train", config.data.train), ("val", config.data.val)):
        expected = header.data.get(role, {}).get("sha256")
        if path is None or expected is None:
            continue
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise CheckpointError(f"{path}: the run's table cannot be read: {error}") from error
        if found != expected:
            raise CheckpointError(
                f"{path}: the table has changed since {run} began. Restore it, or start a new run."
            )


def _convention(config: Config) -> KLConvention:
    return KLConvention(
        reduction=config.kl.reduction,
        tokens=config.latent.tokens,
        dims=config.latent.dims,
        free_bits=config.kl.free_bits,
        factor=config.kl.factor,
        max_weight=config.kl.max_weight,
        bottleneck=config.latent.bottleneck,
    )


def _header(name: str, settings: Settings, tables: Tables) -> RunHeader:
    config = settings.config
    stages, vision, kl = config.stages, config.vision, config.kl
    return RunHeader(
        kl=settings.kl,
        stages=StagePlan(stages.baseline, stages.warmup, stages.full),
        temperature=config.latent.temperature,
        validation_temperature=config.latent.validation_temperature,
        warmup_epochs=kl.warmup_epochs if isinstance(kl.warmup_epochs, int) else None,
        vision_frozen_epochs=vision.freeze_epochs
        if isinstance(vision.freeze_epochs, int)
        else None,
        teacher_weight=config.teacher.weight,
        target=config.early_stopping.target,
        patience=config.early_stopping.patience,
        name=name,
        seed=config.run.seed,
        versions=_versions(),
        data=tables.fingerprints,
        thresholds=config.kl_health.model_dump(),
    )


def _announce(trainer: Trainer) -> None:
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
        epochs=trainer.epochs,
        effective_weight=weight,
        beta=trainer.beta(weight),
        answer_entropy=trainer.answer_entropy,
        patches=trainer.model.vision.patches,
        device=str(trainer.settings.device),
        precision=trainer.settings.precision,
    )


def _versions() -> dict[str, str]:
    return {
        "latentvqa": latentvqa.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _platform() -> dict[str, Any]:
    """What decides about the bits of a CPU run."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
