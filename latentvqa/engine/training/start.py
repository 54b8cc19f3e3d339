"""The three ways to start: train, resume, and a dry run."""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

import torch

from latentvqa.config import RULE_SCORER, Config
from latentvqa.config.resolving import open_keys
from latentvqa.core.figures import counted, percent
from latentvqa.data.blind.models import BlindModels
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.assembly import build_model
from latentvqa.engine.blind_scores import floor_of
from latentvqa.engine.runs.blind import (
    fit_to_training_rows,
    read_blind_models,
    write_blind_models,
)
from latentvqa.engine.runs.checkpoint import Checkpoint, load_checkpoint
from latentvqa.engine.runs.earlier import (
    contents,
    free_data_folder,
    kept_notice,
    remove_earlier,
)
from latentvqa.engine.runs.folder import RunFolder, edited_notes, read_config, write_config
from latentvqa.engine.runs.places import image_sums, require_same_images, write_image_sums
from latentvqa.engine.runs.repair import repair
from latentvqa.engine.runs.tables import write_training_answers
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.specification import ModelSpecification
from latentvqa.engine.training.budget import fit_to_budget, measure_seconds
from latentvqa.engine.training.data import Tables, write_split_file
from latentvqa.engine.training.plan import announce
from latentvqa.engine.training.resume import (
    continued,
    reconciled_records,
    replanned,
    require_named_scorer,
    require_same_data,
    restore,
    trained_config,
)
from latentvqa.engine.training.session import Outcome, Session, tuned_config
from latentvqa.engine.training.setup import (
    NewModel,
    begin,
    make_header,
    make_trainer,
    place,
)
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import CheckpointError
from latentvqa.history import read_history, write_header
from latentvqa.models import load_own_state
from latentvqa.report.page.words import prior_name
from latentvqa.stopping import deferred
from latentvqa.sums import NewerFormatError, damaged_files
from latentvqa.tracking.opening import require_installed

__all__ = ["Outcome", "dry_run", "resume", "train"]


def train(config: Config, run: Path, observer: Observer, *, overwrite: bool = False) -> Outcome:
    """Train a new model into a run folder, made if it is missing.

    Args:
        config: what is trained.
        run: the folder; empty but for an earlier run that is to give way.
        observer: receives progress and notices.
        overwrite: remove an earlier run as soon as it is known that this one begins.

    Raises:
        LatentVQAError: for anything wrong with data, backbone or disk; an earlier
            run is as it was, and of a new one nothing stays.
        Interrupted: at a signal, after ``last`` was saved if an epoch had begun.
    """
    is_ours = overwrite or not contents(run)
    scenes = free_data_folder(run)
    is_prepared = False
    try:
        run.mkdir(parents=True, exist_ok=True)
        trainer, tables, spec = _prepared(config, scenes, observer)
        models = _fit_floor(trainer)
        sums = image_sums(run, _sides(tables), partial(observer.progress, "sums of the images"))
        with deferred():  # what an earlier run leaves, and what a new one begins with
            is_prepared = True
            if overwrite:
                _make_room(run, trainer)
            if sums:
                write_image_sums(run, sums)
            session = _begun(run, trainer, tables, spec, models)
    except BaseException:
        with deferred():
            has_log = RunFolder(run).log.exists()
            if not is_prepared or not has_log:
                shutil.rmtree(scenes, ignore_errors=True)
            if is_ours and not has_log:  # nothing of worth is in it yet
                remove_earlier(run)
                with suppress(OSError):
                    run.rmdir()
        raise
    return session.finish()


def resume(
    run: Path, config: Config | None, observer: Observer, *, scorer: str = RULE_SCORER
) -> Outcome:
    """Continue a run from its ``last`` checkpoint, bit for bit on a CPU.

    Args:
        run: the run folder.
        config: a changed configuration; only ``run.*``, worker counts, patience,
            epochs and the places of the same data may differ.
        observer: receives progress and notices.
        scorer: the ``teacher.scorer`` that the user names; no other code is imported.

    Raises:
        ConfigError: listing keys that must not change; for a scorer that is not named.
        CheckpointError: if there is nothing to continue from or the data changed.
    """
    places = RunFolder(run)
    written = read_config(run)
    damaged = damaged_files(run)
    checkpoint = load_checkpoint(places.last)
    for note in (*checkpoint.notes, *edited_notes(run)):
        observer.notice(f"warning: {note}")
    known = trained_config(checkpoint, written)
    edited = places.config if config is None else None
    wanted = continued(known, config or written, edited)
    require_named_scorer(run, wanted, scorer)
    session = _reopen_session(known, wanted, run, checkpoint, observer)
    training = session.trainer.train.encoded.table
    for note in repair(run, damaged, training, _language_of(session.trainer)):
        observer.notice(f"warning: {note}")
    return session.finish()


def dry_run(config: Config, folder: Path, observer: Observer) -> float:
    """Check configuration and data, tell the plan, and estimate the time.

    Args:
        config: what would be trained.
        folder: for generated scenes; nothing else is written.
        observer: receives the plan.

    Returns:
        Estimated seconds of the whole run.
    """
    require_installed(config.run.log_to)
    settings, tables = begin(config, folder, observer)
    new = NewModel(settings, tables)
    trainer = new.trainer(observer)
    seconds = measure_seconds(trainer)
    if settings.config.run.max_minutes is not None:
        trainer.refit(fit_to_budget(settings.config, seconds))
    announce(trainer)
    return seconds.total(settings.config)


def _prepared(
    config: Config, scenes: Path, observer: Observer
) -> tuple[Trainer, Tables, ModelSpecification]:
    """Check all that a run needs; nothing is written but scenes."""
    settings, tables = begin(config, scenes, observer)
    new = NewModel(settings, tables)
    trainer = new.trainer(observer)
    if settings.config.run.max_minutes is not None:
        fitted = fit_to_budget(settings.config, measure_seconds(trainer))
        observer.notice(
            f"run.max_minutes = {fitted.run.max_minutes:g}: stages fitted to "
            f"{counted(fitted.stages.warmup, 'warm-up epoch')} and "
            f"{counted(fitted.stages.full, 'full epoch')}"
        )
        settings.begin_with(fitted)
        trainer = new.trainer(observer)
    return trainer, tables, new.spec


def _sides(tables: Tables) -> list[tuple[str, QuestionTable]]:
    return [("train", tables.train), ("val", tables.val)]


def _make_room(run: Path, trainer: Trainer) -> None:
    kept = remove_earlier(run, trainer.settings.config)
    if kept:
        trainer.observer.notice(kept_notice(run, kept))


def _begun(
    run: Path, trainer: Trainer, tables: Tables, spec: ModelSpecification, models: BlindModels
) -> Session:
    """Write what a run begins with."""
    config = trainer.settings.config
    header = make_header(run.name, trainer, tables)
    write_config(run, config)
    write_blind_models(run, models)
    write_split_file(run, tables)
    write_training_answers(run, trainer.train.encoded.table, _language_of(trainer))
    write_header(RunFolder(run).log, header)
    torch.manual_seed(config.run.seed)
    return Session(run, header, trainer, spec, [])


def _reopen_session(
    known: Config, config: Config, run: Path, checkpoint: Checkpoint, observer: Observer
) -> Session:
    places = RunFolder(run)
    records = reconciled_records(checkpoint, run, observer)
    require_same_data(config, run)
    settings, tables = begin(config, places.data, observer, places.split)
    if _image_folders(config) != _image_folders(known):
        note = require_same_images(
            run, _sides(tables), partial(observer.progress, "comparing images")
        )
        if note:
            observer.notice(f"warning: {note}")
    tokenizers = Tokenizers.from_json(checkpoint.tokenizers)
    spec = ModelSpecification.from_json(checkpoint.model["specification"], checkpoint.folder)
    model = build_model(spec)
    load_own_state(model, checkpoint.weights)
    trainer = make_trainer(settings, place(model, settings.device), tokenizers, tables, observer)
    if open_keys(config):  # their numbers are known only now
        continued(known, settings.config)
    header = read_history(run).header
    if header.blind:  # a run of an earlier version goes on as it began
        _set_floor(trainer, _known_floor(run, observer) or _fit_floor(trainer, run))
    trainer.adopt(tuned_config(settings.initial, records))
    restore(trainer, checkpoint, observer)
    header = replanned(header, trainer, run, observer)
    write_config(run, settings.initial)
    return Session(run, header, trainer, spec, records)


def _image_folders(config: Config) -> tuple[Path | None, Path | None]:
    return config.data.images, config.data.val_images


def _known_floor(run: Path, observer: Observer) -> BlindModels | None:
    """The image-blind models that a run keeps; None where they are to be fitted anew."""
    try:
        return read_blind_models(run)
    except NewerFormatError:
        raise
    except CheckpointError as error:
        observer.notice(f"warning: {error}")
        return None


def _fit_floor(trainer: Trainer, run: Path | None = None) -> BlindModels:
    """Fit what is known without images, say how much that is, and keep it in a run folder."""
    trainer.observer.notice("fitting image-blind models to the training rows")
    vocabulary = trainer.tokenizers.answer.size
    models = fit_to_training_rows(trainer.train.encoded, vocabulary, _language_of(trainer))
    _set_floor(trainer, models)
    if run is not None:
        write_blind_models(run, models)
    return models


def _language_of(trainer: Trainer) -> str:
    """The language whose rules the answers of a run are compared by."""
    return trainer.tokenizers.rules_of(trainer.settings.config.text.language)


def _set_floor(trainer: Trainer, models: BlindModels) -> None:
    encoded = trainer.train.encoded, trainer.val.encoded
    trainer.floor = floor_of(models, *encoded, _language_of(trainer))
    scores = trainer.floor.val
    name, share = max(scores.exact_match.items(), key=lambda item: item[1])
    trainer.observer.notice(
        f"without images: {percent(share)} of the validation answers are right "
        f"({prior_name(name)}), "
        f"{scores.blind_nll:.2f} of {scores.prior_nll:.2f} nats per answer remain"
    )
    if not scores.is_judged.all():
        trainer.observer.notice(
            f"{percent(1 - scores.is_judged.mean())} of the validation answers are cut or hold "
            "words that training answers lack: losses leave them out, exact match counts them as "
            "they come"
        )
