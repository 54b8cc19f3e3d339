"""Where the results on a table lie in a run folder, and whose they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentvqa.core.formats import newer_format
from latentvqa.engine.runs.folder import BEST, EVALUATION_FILE, RunFolder, numbered
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint
from latentvqa.errors import CheckpointError
from latentvqa.sums import NewerFormatError, read_summed

SCHEMA = 1
ANEW = "Write it anew with latentvqa evaluate."
_VALIDATION = "validation"
_UNNAMED = "table"


def evaluation_folder(run: Path, table: Path | None = None, checkpoint: str = "") -> Path:
    """Where the results on a table belong.

    Args:
        run: the run folder.
        table: the table's file; None for the run's own validation split.
        checkpoint: what was evaluated; absent for the run's best.

    Returns:
        A folder named for the table's file; with a number where results on
        another table have that name, or the split's; with the checkpoint's name
        where it is not the best.
    """
    root = RunFolder(run).evaluations
    best = pointed_checkpoint(run, BEST) or checkpoint
    ending = f"@{checkpoint}" if checkpoint and checkpoint != best else ""
    if table is None:
        return root / f"{_VALIDATION}{ending}"
    stem = _UNNAMED if table.stem.strip(".") == "" else table.stem
    return next(
        folder
        for name in numbered(stem)
        if name != _VALIDATION
        and _table_of(folder := root / f"{name}{ending}") in (None, str(table.resolve()))
    )


def read_evaluation(folder: Path) -> Any:
    """What ``evaluation.json`` in a folder holds.

    Raises:
        DamagedFileError: if it is not what was written.
        NewerFormatError: if a newer version wrote it.
        OSError, ValueError: if it cannot be read.
    """
    path = folder / EVALUATION_FILE
    held = json.loads(read_summed(path, ANEW))
    schema = held.get("schema") if isinstance(held, dict) else None
    if sentence := newer_format(path, schema, SCHEMA):
        raise NewerFormatError(sentence)
    return held


def _table_of(folder: Path) -> str | None:
    """The table whose results a folder holds; None where nobody can tell."""
    try:
        return str(read_evaluation(folder)["table"])
    except CheckpointError:
        return ""  # perhaps another one's
    except (OSError, ValueError, KeyError, TypeError):
        return None
