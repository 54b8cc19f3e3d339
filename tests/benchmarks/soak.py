"""A run of many short epochs, watched from outside: does it grow?

    python -m tests.benchmarks.soak [--minutes 120] [--out DIR]

trains tiny scenes epoch after epoch, and notes once a minute the memory, the open files and
the threads of the process. Then it is stopped as a scheduler stops a job, and its log is
read: every epoch is there once, in order. Prints the first and last quarter of the time
beside each other, and what differs by more than 5 %.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.small_runs import interruptible, set_options

_PAGE = 4096
_FLAT = 0.05
_EVERY = 60.0
_CHANGES = (
    "data.scene_images=20",
    "stages.warmup=2",
    "stages.full=99000",
    "early_stopping.patience=99000",
    "run.threads=1",
)


@dataclass(frozen=True)
class Look:
    """What a process holds at a moment."""

    memory_mib: float
    files: int
    threads: int
    epochs: int


def main() -> None:
    """Train, watch, stop, read the log, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = (asked.out or Path(scratch)) / "run"
        process = subprocess.Popen(
            interruptible("train", *set_options(*_CHANGES), "--out", run),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        looks = _watched(process, run, asked.minutes * 60)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=120)
        epochs = _epochs(run)
    _tell(looks, code, epochs)


def _watched(process: subprocess.Popen[bytes], run: Path, seconds: float) -> list[Look]:
    end = time.monotonic() + seconds
    looks: list[Look] = []
    while time.monotonic() < end:
        time.sleep(_EVERY)
        if process.poll() is not None:
            raise SystemExit(f"the run ended by itself with code {process.returncode}")
        place = Path(f"/proc/{process.pid}")
        resident = int((place / "statm").read_text().split()[1])
        looks.append(
            Look(
                memory_mib=resident * _PAGE / 2**20,
                files=len(list((place / "fd").iterdir())),
                threads=len(list((place / "task").iterdir())),
                epochs=len(_epochs(run)),
            )
        )
        sys.stdout.write(f"{looks[-1]}\n")
        sys.stdout.flush()
    return looks


def _epochs(run: Path) -> list[int]:
    log = run / "metrics.jsonl"
    if not log.exists():
        return []
    # the last line may be in the middle of its writing
    lines = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    records = [json.loads(line) for line in lines]
    return [record["epoch"] for record in records if record["kind"] == "epoch"]


def _tell(looks: list[Look], code: int, epochs: list[int]) -> None:
    quarter = max(1, len(looks) // 4)
    is_flat = True
    for name in ("memory_mib", "files", "threads"):
        first, last = (
            statistics.median(getattr(look, name) for look in part)
            for part in (looks[:quarter], looks[-quarter:])
        )
        is_flat &= last <= first * (1 + _FLAT)
        sys.stdout.write(f"{name}: {first:,.0f} in the first quarter, {last:,.0f} in the last\n")
    pace = [late.epochs - early.epochs for early, late in pairwise(looks)]
    if pace:
        sys.stdout.write(f"epochs a minute: {pace[0]} at first, {pace[-1]} at last\n")
    is_whole = epochs == list(range(len(epochs)))
    sys.stdout.write(
        f"{len(epochs):,} epochs in {len(looks)} minutes, exit code {code}; "
        f"log {'whole' if is_whole else 'NOT WHOLE'}; {'flat' if is_flat else 'NOT FLAT'}\n"
    )


if __name__ == "__main__":
    main()
