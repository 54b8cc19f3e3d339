import os
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.no_network import commands_watched
from tests.small_runs import (
    Finished,
    finished,
    set_options,
    start_cli,
    train_small,
    wait_until,
)

__all__ = ["finished"]

TOOLS = ("tensorboard", "wandb", "trackio")
CHANGES = ("run.sample_every=1", "data.scene_images=20")


@dataclass(frozen=True)
class Tracked:
    """A run that all tools were told of: stopped by SIGTERM after its first epoch, resumed.

    Attributes:
        run: its folder.
        code: with which the first process ended.
        pid: of that process.
        attempts: of the second one to reach a network.
        plain: the same run, that no tool was told of and nobody stopped.
    """

    run: Path
    code: int
    pid: int
    attempts: str
    plain: Finished


def _stopped(run: Path) -> tuple[int, int]:
    named = 'run.log_to=["tensorboard", "wandb", "trackio"]'
    with start_cli("train", *set_options(*CHANGES, named), "--out", run, cwd=run.parent) as process:
        wait_until((run / "last").exists, process)
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=120)
    assert "interrupted; saved" in err, err
    return process.returncode, process.pid


@cache
def _tracked(place: Path) -> Tracked:
    run = place / "run"
    code, pid = _stopped(run)
    found = commands_watched(place, ["train", "--resume", run])
    assert found.codes == [("train", 0)], found.text
    assert "is told no more" not in found.text
    return Tracked(run, code, pid, found.attempts, train_small(place / "plain", *CHANGES))


@pytest.fixture(scope="session")
def tracked(tmp_path_factory):
    return _tracked(tmp_path_factory.getbasetemp())
