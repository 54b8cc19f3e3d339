"""Small models with a fault, each trained once a session however many tests read it."""

from functools import cache
from pathlib import Path

from tests.corpus.train_logs import train_run

SMALL = {"data.scene_images": 200, "stages.warmup": 8, "stages.full": 0}


@cache
def faulty_run(name: str, base: Path) -> Path:
    """The run folder of a model of ``train_logs.RUNS``; nobody may change it.

    Args:
        name: of the run.
        base: the session's folder.
    """
    folder = base / f"faulty-{name}"
    train_run(name, folder, **SMALL)
    return folder
