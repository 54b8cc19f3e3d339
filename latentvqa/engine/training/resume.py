"""Continue a run: what may change, what must not, and the state put back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch

from latentvqa.config import RULE_SCORER, Config, changed_keys, config_from_toml
from latentvqa.config.resolving import open_keys, resolve
from latentvqa.core.figures import counted
from latentvqa.core.record_codec import decode_epoch
from latentvqa.core.records import EpochRecord, RunHeader, StagePlan
from latentvqa.engine.runs.checkpoint import Checkpoint
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.optimizer import load_optimizer_state
from latentvqa.engine.training.state import Progress
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.history import read_history, reconcile, replace_header
from latentvqa.log_lines import epoch_line
from latentvqa.regular_files import read_regular

_FREE_TO_CHANGE = (
    "run.",
    "loader.workers",
    "loader.cache_mib",
    "loader.feature_folder",
    "early_stopping.patience",
    "stages.",
    "latent_use.",
)
# names on disk of weights that are not the averaged ones
RAW_WEIGHTS = "raw."
# the seed orders the rows, and what a run began with is past
_FIXED = ("run.seed", "run.init_from")


def restore(trainer: Trainer, checkpoint: Checkpoint, observer: Observer) -> None:
    """Put progress, optimizer, sums and random state back; tell what changes the bits."""
    state, tensors = checkpoint.trainer, checkpoint.trainer_tensors
    trainer.progress = Progress.from_json(state["progress"])
    # more patience or epochs than before may let a stopped run go on
    trainer.progress.is_stopped = trainer.progress.patience_used >= trainer.patience
    load_optimizer_state(trainer.optimizer, tensors, trainer.model)
    if trainer.average is not None:
        raw = {
            name.removeprefix(RAW_WEIGHTS): value
            for name, value in tensors.items()
            if name.startswith(RAW_WEIGHTS)
        }
        trainer.average.load_state(checkpoint.weights, raw)
    trainer.sums.load_state(tensors, state["progress"])
    device = trainer.settings.device
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and device.type == "cuda":
        torch.cuda.set_rng_state(tensors["rng.cuda"], device)
    now = numeric_platform()
    changed = [
        f"{key} {old} -> {now[key]}" for key, old in state["platform"].items() if old != now[key]
    ]
    if changed:
        observer.notice(
            "warning: the run continues, but not bit for bit as it would have: "
            f"{', '.join(changed)}"
        )


def reconciled_records(checkpoint: Checkpoint, run: Path, observer: Observer) -> list[EpochRecord]:
    """Make the log agree with the checkpoint and read its epochs."""
    encoded = checkpoint.model["record"]
    upto, saved = -1, checkpoint.log  # interrupted inside the first epoch
    if encoded is not None:
        record, _ = decode_epoch(encoded)
        if record is None:
            raise CheckpointError(f"{checkpoint.folder}: its epoch record cannot be read")
        upto, saved = record.epoch, saved or epoch_line(record)
    note = reconcile(RunFolder(run).log, upto, saved)
    if note:
        observer.notice(note)
    return list(read_history(run).records)


def trained_config(checkpoint: Checkpoint, written: Config) -> Config:
    """What the checkpoint was trained with, its data where the run folder has them now.

    Checkpoints of earlier versions do not hold it: then it is what is written there.
    """
    text = checkpoint.trainer.get("config")
    if text is None:
        return written
    return where_wanted(config_from_toml(str(text), str(checkpoint.folder)), written)


def continued(known: Config, wanted: Config, edited: Path | None = None) -> Config:
    """Return the wanted configuration if a resumption allows its changes.

    What is "auto" until the data is known passes; ask again when it has its number.

    Args:
        known: what was trained with so far.
        wanted: what to go on with.
        edited: the file that the changes stand in; None for options.

    Raises:
        ConfigError: listing the keys that must not change.
    """
    wanted = resolve(wanted)
    if wanted.data.train is not None:
        known = where_wanted(known, wanted)
    free = _FREE_TO_CHANGE + open_keys(wanted)
    refused = {
        key: values
        for key, values in changed_keys(known, wanted).items()
        if key in _FIXED or (key not in free and not key.startswith(_FREE_TO_CHANGE))
    }
    if refused:
        lines = [f"  {key}: {old!r} -> {new!r}" for key, (old, new) in refused.items()]
        cause = "" if edited is None else f"{edited} was edited: "
        raise ConfigError(
            f"{cause}--resume cannot change these keys; start a new run for them:\n"
            + "\n".join(lines)
        )
    return wanted


def where_wanted(known: Config, wanted: Config) -> Config:
    """The known configuration with its files where the wanted one has them, if it has any."""
    places = {
        name: getattr(wanted.data, name)
        for name in ("train", "val", "images", "val_images")
        if None not in (getattr(known.data, name), getattr(wanted.data, name))
    }
    found = known.replace("data", **places)
    weights = (known.vision.pretrained, wanted.vision.pretrained)
    if all(isinstance(one, Path) for one in weights):  # read at the beginning alone
        found = found.replace("vision", pretrained=wanted.vision.pretrained)
    return found


def require_named_scorer(run: Path, config: Config, scorer: str) -> None:
    """Import no code that a run folder names, and its user does not.

    Args:
        run: the run folder.
        config: what to go on with.
        scorer: what the user names.

    Raises:
        ConfigError: if it is another one.
    """
    known = config.teacher.scorer
    if known not in (RULE_SCORER, scorer):
        raise ConfigError(
            f"{run} names code of its own as its scorer, and --resume imports none that you do not "
            f"name: if you trust it, add --set teacher.scorer={known}"
        )


def replanned(header: RunHeader, trainer: Trainer, run: Path, observer: Observer) -> RunHeader:
    """The header with the plan that a resumed run follows, in the log as well."""
    stages = trainer.settings.config.stages
    plan = StagePlan(stages.baseline, stages.warmup, stages.full)
    if plan == header.stages and trainer.patience == header.patience:
        return header
    if plan.total != header.stages.total:
        observer.notice(
            f"the plan changes from {header.stages.total} to {counted(plan.total, 'epoch')}: "
            "learning rates follow the new plan from here on"
        )
    changed = replace(header, stages=plan, patience=trainer.patience)
    replace_header(RunFolder(run).log, changed)
    return changed


def require_same_data(config: Config, run: Path) -> None:
    """Compare the tables with the fingerprints in the log.

    Raises:
        CheckpointError: if one cannot be read or has changed.
    """
    header = read_history(run).header
    for role, path in (("train", config.data.train), ("val", config.data.val)):
        expected = header.data.get(role, {}).get("sha256")
        if path is None or expected is None:
            continue
        try:
            found = hashlib.sha256(read_regular(path)).hexdigest()
        except OSError as error:
            raise CheckpointError(
                f"{path}: the run's table cannot be read: {error.strerror}. Restore it, or "
                f"give its new place with --set data.{role}=FILE."
            ) from error
        if found != expected:
            raise CheckpointError(
                f"{path}: the table has changed since {run} began, or is another one (its SHA-256 "
                "differs). Restore it, give its place, or start a new run."
            )
