"""Which checkpoints a run saved itself: only these are its to remove.

``checkpoints.json`` names them. Folders that somebody put beside them stay.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from latentvqa.durable import replace_file
from latentvqa.engine.runs.folder import RunFolder, pointed_checkpoint
from latentvqa.errors import CheckpointError
from latentvqa.history import POINTERS
from latentvqa.regular_files import read_regular_text

_OWN = re.compile(r"\d{4,}-\d{8,}")
_NAME = re.compile(r"\d+-\d+")  # leads nowhere else


def saved_names(run: Path) -> set[str]:
    """Names of the checkpoints that a run is known to have saved, as far as they are there."""
    places = RunFolder(run)
    pointed = {pointed_checkpoint(run, pointer) for pointer in POINTERS}
    known = {name for name in pointed if name and _NAME.fullmatch(name)} | _recorded(run)
    return {name for name in known if (places.checkpoints / name).is_dir()}


def newest_first(run: Path) -> list[str]:
    """Names of all folders that may be checkpoints, those that the run saved before others."""
    own = saved_names(run)
    found = {entry.name for entry in RunFolder(run).checkpoints.glob("[0-9]*")} | own
    return sorted(found, key=lambda name: (name in own, name), reverse=True)


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
    text = json.dumps({"saved": sorted({*own, name})}, indent=1)
    replace_file(places.saved, text.encode())


def remove_superseded(run: Path, keep: set[str | None]) -> None:
    """Remove the checkpoints that a run saved, but those to keep and those pointed to."""
    keep = keep | {pointed_checkpoint(run, pointer) for pointer in POINTERS}
    for name in saved_names(run) - keep:
        shutil.rmtree(RunFolder(run).checkpoints / name, ignore_errors=True)


def _recorded(run: Path) -> set[str]:
    places = RunFolder(run)
    if not places.saved.exists():  # a run of an earlier version: its names say it
        return {path.name for path in places.checkpoints.glob("*-*") if _OWN.fullmatch(path.name)}
    try:
        known = json.loads(read_regular_text(places.saved))["saved"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in known if isinstance(name, str) and _NAME.fullmatch(name)}
