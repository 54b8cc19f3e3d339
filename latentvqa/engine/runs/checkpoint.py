"""Checkpoints: self-describing folders without pickle, complete or absent.

A folder holds ``model.safetensors``, ``model.json`` (specification and record),
``tokenizer.json``, the trainer's state (``trainer.safetensors``,
``trainer.json``), the log up to it (``metrics.jsonl``) and ``sums.json`` with the
SHA-256 of each; later, perhaps, ``calibration.json``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from latentvqa.core.formats import newer_format
from latentvqa.durable import sync_folder
from latentvqa.engine.runs.folder import BEST, LAST, RunFolder
from latentvqa.engine.runs.saved_checkpoints import (
    MODEL_FILE,
    TRAINER_FILE,
    announce_saved,
    checkpoint_candidates,
    point,
    pointed_checkpoint,
    pointer_faults,
    remove_superseded,
)
from latentvqa.engine.runtime.finite import first_not_finite
from latentvqa.errors import CheckpointError
from latentvqa.history import LOG_NAME
from latentvqa.regular_files import open_regular, read_regular, read_regular_text
from latentvqa.sums import (
    SUMS_NAME,
    NewerFormatError,
    read_sums,
    replace_summed,
    sum_of,
    sums_content,
)

SCHEMA = 2  # 1 held no log
SPELT_SCHEMA = 3  # with a spelling that earlier versions would pass over
_READ = (1, SCHEMA, SPELT_SCHEMA)
_WEIGHTS, _TRAINER_TENSORS = "model.safetensors", "trainer.safetensors"
_TOKENIZER = "tokenizer.json"
_CALIBRATION = "calibration.json"
_TEMPORARY_PREFIX = ".writing-"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder holds.

    Attributes:
        folder: where it was read from.
        weights: the model's state, by name.
        model: content of ``model.json``.
        tokenizers: text of ``tokenizer.json``.
        trainer_tensors: the trainer's tensors, by name; empty if absent.
        trainer: the trainer's plain values; empty if absent.
        log: the log of the run up to it; empty in one of an earlier version.
        logit_temperature: what the decoder's logits are divided by for a
            confidence; None where it was never fitted.
        notes: what the reader should know, such as a fallback.
    """

    folder: Path
    weights: Mapping[str, Tensor]
    model: Mapping[str, Any]
    tokenizers: str
    trainer_tensors: Mapping[str, Tensor]
    trainer: Mapping[str, Any]
    log: bytes
    logit_temperature: float | None = None
    notes: tuple[str, ...] = ()


def save_checkpoint(
    run: Path,
    name: str,
    *,
    weights: Mapping[str, Tensor],
    model: Mapping[str, Any],
    tokenizers: str,
    trainer_tensors: Mapping[str, Tensor],
    trainer: Mapping[str, Any],
    log: bytes,
    is_best: bool,
    is_spelt: bool = False,
) -> Path:
    """Write a checkpoint, point ``last`` (and ``best``) to it, drop superseded ones.

    The former ``last`` stays as a fallback against damage of the new one. Where
    ``is_spelt``, the tokenizers bring texts to the spelling of a language.

    Raises:
        CheckpointError: if it cannot be written; older checkpoints are intact.
    """
    places = RunFolder(run)
    folder = places.checkpoints
    final = folder / name
    temporary = folder / f"{_TEMPORARY_PREFIX}{name}-{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clean_temporaries(folder)
        announce_saved(run, name)
        if final.exists() and not _is_intact(final):
            shutil.rmtree(final)
        if not final.exists():
            temporary.mkdir()
            save_file(_contiguous(weights), temporary / _WEIGHTS)
            schema = SPELT_SCHEMA if is_spelt else SCHEMA
            _write_json(temporary / MODEL_FILE, {"schema": schema, **model})
            (temporary / _TOKENIZER).write_text(tokenizers, encoding="utf-8")
            save_file(_contiguous(trainer_tensors), temporary / _TRAINER_TENSORS)
            _write_json(temporary / TRAINER_FILE, trainer)
            (temporary / LOG_NAME).write_bytes(log)
            sums = {file.name: (sum_of(file),) for file in sorted(temporary.iterdir())}
            (temporary / SUMS_NAME).write_bytes(sums_content(sums))
            _set_modes(temporary)
            _publish_folder(temporary, final)
        previous = pointed_checkpoint(run, LAST)
        point(run, {BEST: name, LAST: name} if is_best else {LAST: name})
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CheckpointError(
            f"{final}: the checkpoint could not be written ({_root_cause(error)}). Older "
            "checkpoints are intact; free some space and continue with --resume."
        ) from error
    remove_superseded(run, keep={name, previous})
    return final


def write_calibration(folder: Path, logit_temperature: float) -> None:
    """Keep a fitted temperature with the checkpoint; a kill leaves it with or without.

    Raises:
        CheckpointError: if it cannot be written; the checkpoint is as it was.
    """
    try:
        text = json.dumps({"logit_temperature": logit_temperature})
        replace_summed({folder / _CALIBRATION: text.encode()})
    except OSError as error:
        raise CheckpointError(
            f"{folder}: the calibration cannot be kept there ({_root_cause(error)})"
        ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Load from a run folder (its ``best``), ``RUN/last``, ``RUN/best`` or a folder.

    A damaged checkpoint is passed over for the newest intact one of the run; the
    result's ``notes`` name both.

    Raises:
        CheckpointError: if nothing loadable is there.
    """
    candidates = checkpoint_candidates(path)
    faults = pointer_faults(path)
    for folder in candidates:
        try:
            checkpoint = _read(folder)
        except NewerFormatError:
            raise
        except CheckpointError as error:
            faults.append(str(error))
            continue
        if faults:
            note = f"{'; '.join(faults)}; using {folder} instead"
            return Checkpoint(**{**checkpoint.__dict__, "notes": (note,)})
        return checkpoint
    raise CheckpointError("; ".join(faults) + ". No intact checkpoint is left in this run.")


def _is_intact(folder: Path) -> bool:
    try:
        _check_sums(folder)
    except (CheckpointError, OSError, ValueError):
        return False
    return True


def _check_sums(folder: Path) -> None:
    if not (folder / SUMS_NAME).is_file():
        raise CheckpointError(f"{folder / SUMS_NAME} is missing")
    for name, known in read_sums(folder).items():
        # its sum is written first, and a kill may come between
        is_to_come = name == _CALIBRATION and not (folder / name).exists()
        if not is_to_come and sum_of(folder / name) not in known:
            raise CheckpointError(f"{folder / name} is damaged (its SHA-256 does not match)")


def _logit_temperature(folder: Path) -> float | None:
    # where no sum vouches for it, it does not count
    if _CALIBRATION not in read_sums(folder) or not (folder / _CALIBRATION).exists():
        return None
    known = json.loads(read_regular_text(folder / _CALIBRATION))
    return float(known["logit_temperature"])


def _read(folder: Path) -> Checkpoint:
    try:
        _check_sums(folder)
        model = json.loads(read_regular_text(folder / MODEL_FILE))
        if sentence := newer_format(folder, model.get("schema"), max(_READ)):
            raise NewerFormatError(sentence)
        if model.get("schema") not in _READ:
            raise CheckpointError(
                f"{folder} has checkpoint schema {model.get('schema')}; this version reads "
                f"{max(_READ)}"
            )
        log = folder / LOG_NAME
        weights = load_file(folder / _WEIGHTS)
        if name := first_not_finite(weights):
            raise CheckpointError(f"{folder} holds a {name} that is NaN or infinite")
        return Checkpoint(
            folder=folder,
            weights=weights,
            model=model,
            tokenizers=read_regular_text(folder / _TOKENIZER),
            trainer_tensors=load_file(folder / _TRAINER_TENSORS),
            trainer=json.loads(read_regular_text(folder / TRAINER_FILE)),
            log=read_regular(log) if log.exists() else b"",
            logit_temperature=_logit_temperature(folder),
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be read ({error})") from error


def _publish_folder(temporary: Path, final: Path) -> None:
    """Sync a finished folder and rename it into place."""
    for file in temporary.iterdir():
        with open_regular(file) as handle:
            os.fsync(handle.fileno())
    sync_folder(temporary)
    temporary.replace(final)
    sync_folder(final.parent)


def _set_modes(folder: Path) -> None:
    """Let the umask say who may read the weights, which safetensors writes for their owner."""
    mode = stat.S_IMODE((folder / SUMS_NAME).stat().st_mode)
    for file in (folder / _WEIGHTS, folder / _TRAINER_TENSORS):
        file.chmod(mode)


def _clean_temporaries(folder: Path) -> None:
    """Remove what an earlier kill left half written; a link is none of it."""
    for stray in folder.glob(_TEMPORARY_PREFIX + "*"):
        shutil.rmtree(stray, ignore_errors=True)


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, allow_nan=False), encoding="utf-8")


def _root_cause(error: BaseException) -> BaseException:
    """The OSError behind a library's own error says what really happened."""
    cause = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return cause
