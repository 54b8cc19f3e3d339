"""The other commands, disturbed at random moments; what they work on is whole afterwards."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.stopping import SIGNALS
from tests.faults.ready import ReadyPrograms
from tests.faults.trials import disturbed_command, ended, left_half_written
from tests.small_runs import BRIEF, set_options

PLAN = """
description = "Two seeds are enough to be stopped."
preset = "quickstart"
default = "one"
[arms.one]
[arms.other]
latent.temperature = 0.4
"""


def _evaluate(run: Path, folder: Path) -> list[object]:
    return ["evaluate", run]


def _predict(run: Path, folder: Path) -> list[object]:
    asked = ["--question", "what is red?", "--samples", 3]
    return [
        "predict",
        run,
        run / "data" / "images",
        *asked,
        "--explain",
        folder / "looks",
        "--overwrite",
    ]


def _report(run: Path, folder: Path) -> list[object]:
    return ["report", run]


def _audit(run: Path, folder: Path) -> list[object]:
    return ["data", "audit", run / "data" / "questions.csv", "--images", run / "data" / "images"]


def _ablate(run: Path, folder: Path) -> list[object]:
    plan = folder / "plan.toml"
    plan.write_text(PLAN)
    options = set_options(*BRIEF, f"data.train={run / 'data' / 'questions.csv'}")
    options += ["--set", f"data.images={run / 'data' / 'images'}"]
    return ["ablate", plan, "--seeds", 1, *options, "--out", folder / "pair"]


# each with what it says when its work is done
COMMANDS: dict[str, tuple[Callable[[Path, Path], list[object]], str]] = {
    "evaluate": (_evaluate, "written to "),
    "predict": (_predict, "rows, "),
    "report": (_report, "written to "),
    "data audit": (_audit, "Nothing to warn of."),
    "ablate": (_ablate, "written to "),
}


def disturb_commands(
    ready: ReadyPrograms,
    folder: Path,
    draws: random.Random,
    source: Path,
    each: int,
    names: Sequence[str] = tuple(COMMANDS),
) -> dict[str, int]:
    """Kill each command, or ask it to stop, some times; then let it end, and look at its run.

    Args:
        ready: starts the programs.
        folder: for what they write.
        draws: moments and signals; every other one is a kill.
        source: a finished run, which is copied.
        each: faults of each command.
        names: commands.

    Returns:
        Faults that met each command alive.
    """
    found = dict.fromkeys(names, 0)
    for name in names:
        place = folder / name.replace(" ", "-")
        run = Path(shutil.copytree(source, place / "run"))
        make, last_words = COMMANDS[name]
        weights, command = _checkpoints(run), make(run, place)
        seconds = 5.0
        if name != "ablate":  # whose runs are too long to be made twice
            start = time.monotonic()
            ended(ready.start(*command, cwd=place))
            seconds = time.monotonic() - start
        known = _results(run)
        for number in range(each):
            stop = draws.choice(SIGNALS) if number % 2 else signal.SIGKILL
            code = disturbed_command(ready, place, draws, command, seconds, stop, last_words)
            found[name] += code != 0
            assert _checkpoints(run) == weights
            assert all(len(content) > 0 for content in _results(run).values())
        ended(ready.start(*command, cwd=place))
        assert _results(run) == known
        assert left_half_written(place) == []
    return found


def _checkpoints(run: Path) -> dict[str, str]:
    """Every file of the checkpoints by its sum; they must be whole."""
    assert load_checkpoint(run / "last").notes == load_checkpoint(run / "best").notes == ()
    files = sorted(path for path in (run / "checkpoints").rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _results(run: Path) -> dict[str, bytes]:
    """What an undisturbed command leaves the same each time."""
    names = ("evaluations/validation/predictions.csv", "metrics.jsonl", "answers.json")
    return {name: (run / name).read_bytes() for name in names}
