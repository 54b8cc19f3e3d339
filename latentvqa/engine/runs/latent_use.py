"""What the latent-use test said of a run, read from its evaluation; no torch."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.engine.runs.folder import (
    BEST,
    EVALUATION_FILE,
    evaluation_folder,
    pointed_checkpoint,
)
from latentvqa.history import History
from latentvqa.regular_files import read_regular_text

_VERDICT = TypeAdapter(LatentUseVerdict)


def latent_use_of(run: Path) -> LatentUseVerdict | None:
    """The verdict on the best checkpoint over the validation split.

    Args:
        run: the run folder.

    Returns:
        None where no test was run, its file cannot be read, or it was made of a
        checkpoint that is not the best one any more.
    """
    try:
        text = read_regular_text(evaluation_folder(run) / EVALUATION_FILE)
        found = json.loads(text)
        if found["checkpoint"] != pointed_checkpoint(run, BEST):
            return None
        return _VERDICT.validate_python(found["latent_use"]["verdict"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None


def latent_use_of_log(history: History) -> LatentUseVerdict | None:
    """The verdict on the run that a log belongs to; None for logs of other tools."""
    return latent_use_of(history.path.parent) if history.header.is_own else None
