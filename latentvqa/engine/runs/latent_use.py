"""What the latent-use test said of a run, read from its evaluation; no torch."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.engine.runs.evaluations import evaluation_folder, read_evaluation
from latentvqa.engine.runs.folder import BEST, run_of
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint
from latentvqa.errors import CheckpointError
from latentvqa.history import History

_VERDICT = TypeAdapter(LatentUseVerdict)
_DIVERGENCE: TypeAdapter[float | None] = TypeAdapter(float | None)


Found = tuple[LatentUseVerdict | None, tuple[str, ...]]


def latent_use_of(run: Path) -> Found:
    """The verdict on the best checkpoint over the validation split.

    Args:
        run: the run folder.

    Returns:
        The verdict; None where no test was run, its file cannot be read, or it was
        made of a checkpoint that is not the best one any more. And what to say of a
        file that is damaged, or of a newer version.
    """
    try:
        found = read_evaluation(evaluation_folder(run))
        if found["checkpoint"] != pointed_checkpoint(run, BEST):
            return None, ()
        return _VERDICT.validate_python(found["latent_use"]["verdict"]), ()
    except CheckpointError as error:
        return None, (f"The latent-use test is not part of the verdict: {error}",)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, ()


def map_divergence_of(checkpoint: Path) -> float | None:
    """How far the maps of two questions lie apart, as the test of a checkpoint found it.

    Args:
        checkpoint: its folder.

    Returns:
        Bits; None where no test of this checkpoint over the validation split is known.
    """
    try:
        run = run_of(checkpoint)
        found = read_evaluation(evaluation_folder(run, checkpoint=checkpoint.name))
        if found["checkpoint"] != checkpoint.name:
            return None
        return _DIVERGENCE.validate_python(found["latent_use"]["map_divergence"])
    except (CheckpointError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def latent_use_of_log(history: History) -> Found:
    """The same of the run that a log belongs to; None for logs of other tools."""
    return latent_use_of(history.path.parent) if history.header.is_own else (None, ())
