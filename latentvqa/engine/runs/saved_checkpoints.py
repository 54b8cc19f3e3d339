"""Which checkpoints a run saved itself, and which of them ``best`` and ``last`` name.

``checkpoints.json`` names those that are the run's to remove. Folders that somebody
put beside them stay. A pointer that is lost is found out from the checkpoints.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentvqa.engine.runs.folder import LAST, RunFolder
from latentvqa.errors import CheckpointError
from latentvqa.history import POINTERS
from latentvqa.sums import DamagedFileError, read_summed, replace_summed

_OWN = re.compile(r"\d{4,}-\d{8,}")
_NAME = re.compile(r"\d+-\d+")  # leads nowhere else


MODEL_FILE, TRAINER_FILE = "model.json", "trainer.json"


def pointed_checkpoint(run: Path, pointer: str) -> str | None:
    """Name of the checkpoint that ``best`` or ``last`` means; None where there is none."""
    return written_name(run, pointer) or _found_out(run, pointer)


def written_name(run: Path, pointer: str) -> str | None:
    """What stands in ``best`` or ``last``; None where it is missing or damaged."""
    try:
        name = read_summed(run / pointer, "").decode().strip()
    except (OSError, UnicodeDecodeError, DamagedFileError):
        return None
    return name if _NAME.fullmatch(name) else None


def restore_pointers(run: Path) -> list[str]:
    """Write lost pointers anew, as far as the checkpoints tell.

    Returns:
        A sentence for each.
    """
    told = []
    for pointer in POINTERS:
        name = None if written_name(run, pointer) else _found_out(run, pointer)
        if name is not None:
            point(run, {pointer: name})
            told.append(f"{run / pointer}: missing or damaged; written anew, it names {name}")
    return told


def point(run: Path, names: Mapping[str, str]) -> None:
    """Let pointers name checkpoints.

    Args:
        run: the run folder.
        names: of checkpoints by pointer.
    """
    replace_summed({run / pointer: f"{name}\n".encode() for pointer, name in names.items()})


def saved_names(run: Path) -> set[str]:
    """Names of the checkpoints that a run is known to have saved, as far as they are there."""
    places = RunFolder(run)
    pointed = {name for pointer in POINTERS if (name := written_name(run, pointer))}
    known = pointed | _recorded(run)
    return {name for name in known if (places.checkpoints / name).is_dir()}


def newest_first(run: Path) -> list[str]:
    """Names of all folders that may be checkpoints, those that the run saved before others."""
    own = saved_names(run)
    found = {entry.name for entry in RunFolder(run).checkpoints.glob("[0-9]*")} | own
    return sorted(found, key=lambda name: (name in own, name), reverse=True)


def pointer_faults(path: Path) -> list[str]:
    """Why the checkpoint that ``path`` means is not known."""
    if _is_checkpoint(path):
        return []
    run, (wanted, *_) = _run_and_pointers(path)
    is_known = written_name(run, wanted) is not None
    return [] if is_known else [f"{run / wanted}: missing or damaged"]


def checkpoint_candidates(path: Path) -> list[Path]:
    """Checkpoint folders that ``path`` may mean, the wanted one first.

    Raises:
        CheckpointError: if ``path`` is neither a run nor a checkpoint.
    """
    if _is_checkpoint(path):
        return [path]
    run, pointers = _run_and_pointers(path)
    folder = RunFolder(run).checkpoints
    if not folder.is_dir():
        raise CheckpointError(
            f"{path}: no run folder with checkpoints here. Give the folder that `latentvqa train` "
            "wrote, or its /last or /best."
        )
    names = [name for name in (pointed_checkpoint(run, one) for one in pointers) if name]
    ordered = list(dict.fromkeys([*names, *newest_first(run)]))
    if not ordered:
        raise CheckpointError(f"{path}: this run has no checkpoint yet.")
    return [folder / name for name in ordered]


def announce_saved(run: Path, name: str) -> None:
    """Write down that a checkpoint is about to be saved.

    Raises:
        CheckpointError: if another folder has its name.
    """
    places, own = RunFolder(run), saved_names(run)
    folder = places.checkpoints / name
    if places.saved.exists() and folder.exists() and name not in own:
        raise CheckpointError(
            f"{folder}: the run did not save this folder and needs its name for the next "
            "checkpoint. Move it, and continue with --resume."
        )
    _record(run, {*own, name})


def restore_saved(run: Path) -> None:
    """Write down anew which checkpoints the run saved, as far as that is known."""
    _record(run, saved_names(run))


def remove_superseded(run: Path, keep: set[str | None]) -> None:
    """Remove the checkpoints that a run saved, but those to keep and those pointed to."""
    keep = keep | {pointed_checkpoint(run, pointer) for pointer in POINTERS}
    for name in saved_names(run) - keep:
        shutil.rmtree(RunFolder(run).checkpoints / name, ignore_errors=True)


def _is_checkpoint(path: Path) -> bool:
    """Whether a folder is one; a run stays a run whatever other files lie in it."""
    return (path / MODEL_FILE).is_file() and not RunFolder(path).is_there


def _run_and_pointers(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The run folder that ``path`` is about, and its pointers to look at, in this order."""
    if path.name in POINTERS and not path.is_dir():
        return path.parent, (path.name,)
    return path, POINTERS


def _record(run: Path, names: set[str]) -> None:
    text = json.dumps({"saved": sorted(names)}, indent=1)
    replace_summed({RunFolder(run).saved: text.encode()})


def _recorded(run: Path) -> set[str]:
    places = RunFolder(run)
    if not places.saved.exists():  # a run of an earlier version: its names say it
        return {path.name for path in places.checkpoints.glob("*-*") if _OWN.fullmatch(path.name)}
    try:
        known = json.loads(read_summed(places.saved, ""))["saved"]
    except (OSError, ValueError, KeyError, TypeError, DamagedFileError):
        return set()
    return {name for name in known if isinstance(name, str) and _NAME.fullmatch(name)}


def _found_out(run: Path, pointer: str) -> str | None:
    """What a lost pointer must have named, from the newest checkpoint that tells."""
    for name in newest_first(run):
        try:
            progress = _held(run, name, TRAINER_FILE)["progress"]
            best = progress["best_epoch"]
        except (CheckpointError, OSError, ValueError, KeyError, TypeError):
            continue
        return name if pointer == LAST else _end_of_epoch(run, best)
    return None


def _end_of_epoch(run: Path, epoch: int | None) -> str | None:
    """The checkpoint that was saved when an epoch had ended, before any of the next one."""
    for name in sorted(newest_first(run)):
        try:
            if _held(run, name, MODEL_FILE)["epoch"] == epoch:
                return name
        except (CheckpointError, OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _held(run: Path, name: str, file: str) -> Any:
    return json.loads(read_summed(RunFolder(run).checkpoints / name / file, ""))
