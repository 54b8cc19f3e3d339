"""Trials of one kind, drawn by a seed: what was done, and whether anything was lost or hung."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.history import read_history
from latentvqa.stopping import SIGNALS, exit_code_of
from tests.faults.ready import ReadyProcess, ReadyPrograms
from tests.small_runs import BRIEF, assert_same_run, set_options

HANG_SECONDS = 120.0  # far more than a busy machine needs to stop
# saved after every batch, so that a kill meets every state; images are decoded again and again
OPTIONS = (*BRIEF, "run.checkpoint_minutes=0.00001", "loader.cache_mib=0")
KILLED_WITHIN = 0.5  # of a whole run's time, for a resumed run is shorter
_TEMPORARY = ("*.tmp", ".*.tmp")


@dataclass(frozen=True)
class Whole:
    """A run that nothing disturbed.

    Attributes:
        run: its folder.
        seconds: from its start to its end.
    """

    run: Path
    seconds: float


def train_options(workers: int) -> list[str]:
    """Options of the trained runs."""
    return set_options(*OPTIONS, f"loader.workers={workers}")


def whole_run(ready: ReadyPrograms, folder: Path) -> Whole:
    """Train without a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    run, start = folder / "run", time.monotonic()
    ended(ready.start("train", *train_options(0), "--out", run, cwd=folder))
    return Whole(run, time.monotonic() - start)


def ended(process: ReadyProcess, code: int = 0) -> str:
    """Wait for the end that is expected."""
    found = process.wait(10 * HANG_SECONDS)
    assert found == code, (found, process.text())
    assert "Traceback" not in process.text(), process.text()
    return process.text()


def killed_run(
    ready: ReadyPrograms,
    folder: Path,
    draws: random.Random,
    whole: Whole,
    *,
    kills: int,
    workers: int,
) -> int:
    """Kill a run again and again, let it end, and compare it bit for bit.

    Returns:
        How many kills met the process alive.
    """
    folder.mkdir(parents=True)
    run, met = folder / "run", 0
    for _ in range(kills):
        process = _train(ready, folder, run, workers)
        process.wait(draws.uniform(0.0, KILLED_WITHIN * whole.seconds))
        process.send(signal.SIGKILL)
        met += process.wait(HANG_SECONDS) == -signal.SIGKILL
        if (run / "last").exists():
            assert load_checkpoint(run / "last").notes == ()
    ended(_train(ready, folder, run, workers))
    assert_same_run(run, whole.run)
    assert_same_evaluation(run, whole.run)
    return met


def _train(ready: ReadyPrograms, folder: Path, run: Path, workers: int) -> ReadyProcess:
    """Train on, or begin where there is nothing to go on from."""
    if (run / "last").exists():
        return ready.start("train", "--resume", run, cwd=folder)
    shutil.rmtree(run, ignore_errors=True)
    return ready.start("train", *train_options(workers), "--out", run, cwd=folder)


def assert_same_evaluation(run: Path, expected: Path) -> None:
    """Answers and figures of the validation agree."""
    place = Path("evaluations", "validation")
    answers = place / "predictions.csv"
    assert (run / answers).read_bytes() == (expected / answers).read_bytes()
    one, other = (
        json.loads((folder / place / "evaluation.json").read_text()) for folder in (run, expected)
    )
    names = ("metrics", "losses", "confidence", "latent_use")
    assert [name for name in names if one[name] != other[name]] == []


@dataclass(frozen=True)
class Stop:
    """What came of a stop signal.

    Attributes:
        number: of the signal.
        code: exit code of the program.
        seconds: from the signal to its end.
        is_late: whether the program had ended before.
    """

    number: int
    code: int
    seconds: float
    is_late: bool


def stopped_run(
    ready: ReadyPrograms,
    folder: Path,
    draws: random.Random,
    whole: Whole,
    *,
    workers: int,
    is_resumed: bool,
) -> Stop:
    """Send a stop signal at a random moment of a run, to it or its group; sometimes one more."""
    folder.mkdir(parents=True)
    run = folder / "run"
    number, is_group = draws.choice(SIGNALS), draws.random() < 0.5
    process = _train(ready, folder, run, workers)
    process.wait(draws.uniform(0.0, whole.seconds))
    is_late, start = process.poll() is not None, time.monotonic()
    process.send(number, is_group=is_group)
    if draws.random() < 0.3:
        process.wait(draws.uniform(0.0, 0.3))
        process.send(signal.SIGTERM, is_group=is_group)
    code = process.wait(HANG_SECONDS)
    seconds = time.monotonic() - start
    if code is None:
        process.send(signal.SIGKILL, is_group=True)
    assert code is not None, f"{signal.Signals(number).name}: hangs\n{process.text()}"
    is_done = code == 0 and "report: " in process.text()
    is_early = code == -number and not run.exists()  # before it began to listen
    assert code == exit_code_of(number) or is_done or is_early, (code, process.text())
    assert "Traceback" not in process.text(), process.text()
    assert left_half_written(folder) == []
    if (run / "last").exists():
        assert load_checkpoint(run / "last").notes == ()
        assert is_done or "saved. Continue with" in process.text(), process.text()
        read_history(run)
    if is_resumed:
        ended(_train(ready, folder, run, workers))
        assert_same_run(run, whole.run)
    return Stop(number, code, seconds, is_late)


def left_half_written(folder: Path) -> list[Path]:
    """Files and checkpoints that were begun and not ended."""
    found = [path for pattern in _TEMPORARY for path in folder.rglob(pattern)]
    return found + list(folder.rglob(".writing-*"))


def disturbed_command(
    ready: ReadyPrograms,
    folder: Path,
    draws: random.Random,
    command: Sequence[object],
    seconds: float,
    number: int,
    last_words: str,
) -> int:
    """Send a signal at a random moment of a command; the code that it ended with.

    One that ends well had said its last words: nothing was left for the signal to stop.
    """
    process = ready.start(*command, cwd=folder)
    process.wait(draws.uniform(0.0, seconds))
    process.send(number)
    code = process.wait(HANG_SECONDS)
    assert code is not None, f"{command[0]} hangs\n{process.text()}"
    expected = -number if number == signal.SIGKILL else exit_code_of(number)
    is_done = code == 0 and last_words in process.text()
    is_early = code == -number and not process.text()  # before it began to listen
    assert is_done or is_early or code == expected, (code, process.text())
    assert "Traceback" not in process.text(), process.text()
    return code
