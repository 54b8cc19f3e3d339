"""Continue a run: what may change, what must not, and the state put back."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from latentvqa.config import Config, changed_keys
from latentvqa.config.resolving import resolve
from latentvqa.core.record_codec import decode_epoch
from latentvqa.core.records import EpochRecord
from latentvqa.engine.runs.checkpoint import Checkpoint
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.optimizer import load_optimizer_state
from latentvqa.engine.training.state import Progress
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.history import read_history, reconcile

_FREE_TO_CHANGE = (
    "run.",
    "loader.workers",
    "loader.cache_mib",
    "loader.feature_folder",
    "early_stopping.patience",
    "stages.",
    "latent_use.",
)


def restore(trainer: Trainer, checkpoint: Checkpoint, observer: Observer) -> None:
    """Put progress, optimizer, sums and random state back; tell what changes the bits."""
    state, tensors = checkpoint.trainer, checkpoint.trainer_tensors
    trainer.progress = Progress.from_json(state["progress"])
    # more patience or epochs than before may let a stopped run go on
    stopping = trainer.settings.config.early_stopping
    trainer.progress.is_stopped = trainer.progress.patience_used >= stopping.patience
    load_optimizer_state(trainer.optimizer, tensors)
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
    if encoded is None:  # interrupted inside the first epoch
        return []
    record, _ = decode_epoch(encoded)
    if record is None:
        raise CheckpointError(f"{checkpoint.folder}: its epoch record cannot be read")
    note = reconcile(RunFolder(run).log, record)
    if note:
        observer.notice(note)
    return [known for known in read_history(run).records if known.epoch <= record.epoch]


def continued(known: Config, wanted: Config) -> Config:
    """Return the wanted configuration if a resumption allows its changes.

    ``kl.free_bits = "auto"`` passes; ask again when the data has given its number.

    Raises:
        ConfigError: listing the keys that must not change.
    """
    wanted = resolve(wanted)
    if wanted.data.train is not None and known.data.scenes is None:
        known = _where_wanted(known, wanted)
    free = _FREE_TO_CHANGE + (("kl.free_bits",) if wanted.kl.free_bits == "auto" else ())
    refused = {
        key: values
        for key, values in changed_keys(known, wanted).items()
        if key not in free and not key.startswith(_FREE_TO_CHANGE)
    }
    if refused:
        lines = [f"  {key}: {old!r} -> {new!r}" for key, (old, new) in refused.items()]
        raise ConfigError(
            "--resume cannot change these keys; start a new run for them:\n" + "\n".join(lines)
        )
    return wanted


def _where_wanted(known: Config, wanted: Config) -> Config:
    """The known configuration with its data where the wanted one has them, if it has any."""
    places = {
        name: getattr(wanted.data, name)
        for name in ("train", "val", "images", "val_images")
        if None not in (getattr(known.data, name), getattr(wanted.data, name))
    }
    return known.replace("data", **places)


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
            found = hashlib.sha256(path.read_bytes()).hexdigest()
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
