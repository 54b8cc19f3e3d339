"""Faults at random moments, in full count: kills and stop signals, 0 files lost, 0 hangs.

    python -m tests.benchmarks.faults [--seed N] [--kills N] [--signals N] [--processes N]

writes what was found to ``results/faults.json``, as far as it has come. The same
trials, fewer of them, run in ``tests/faults``.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from threading import Lock
from typing import Any

from tests.benchmarks.tables import FAULTS
from tests.faults.commands import COMMANDS, disturb_commands
from tests.faults.ready import ReadyPrograms
from tests.faults.trials import Stop, Whole, killed_run, stopped_run, whole_run

KILLS_EACH = 5  # of one run, before it is compared
RESUMED_EACH = 10  # of so many stopped runs one is resumed and compared


def main() -> None:
    """Run all trials and write down their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=100, help="half of them with two workers")
    parser.add_argument("--signals", type=int, default=200)
    parser.add_argument("--commands", type=int, default=3, help="faults of each other command")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ReadyPrograms() as ready:
        trials = Trials(Path(folder), ready, asked.seed)
        with ThreadPoolExecutor(asked.processes) as pool:
            work = [pool.submit(trials.disturb, name, asked.commands) for name in COMMANDS]
            work += [pool.submit(trials.kill, number, asked.kills) for number in range(asked.kills)]
            work += [pool.submit(trials.stop, n, asked.signals) for n in range(2 * asked.signals)]
            wait(work)
    print(FAULTS.read_text())


class Trials:
    """The trials of one call, several at a time.

    Args:
        folder: for their runs.
        ready: starts the programs.
        seed: of all moments.
    """

    def __init__(self, folder: Path, ready: ReadyPrograms, seed: int) -> None:
        self.folder, self.ready, self.seed = folder, ready, seed
        self.start, self.turn = time.monotonic(), Lock()
        self.kills = {0: 0, 2: 0}
        self.compared = 0
        self.stops: list[Stop] = []
        self.commands: dict[str, int] = {}
        self.failures: list[str] = []
        whole_run(ready, folder / "first")  # the libraries are loaded after it
        self.whole: Whole = whole_run(ready, folder / "whole")

    def kill(self, number: int, wanted: int) -> None:
        """Kill a run several times, unless enough kills met one alive."""
        workers = (0, 2)[number % 2]
        if self.kills[workers] >= wanted / 2:
            return
        with self._recorded(f"kill {number}") as (place, draws):
            met = killed_run(
                self.ready, place, draws, self.whole, kills=KILLS_EACH, workers=workers
            )
            self.kills[workers] += met
            self.compared += 1

    def stop(self, number: int, wanted: int) -> None:
        """Ask a run to stop, unless enough signals met one alive."""
        if len(self._heard()) >= wanted:
            return
        with self._recorded(f"signal {number}") as (place, draws):
            self.stops.append(
                stopped_run(
                    self.ready,
                    place,
                    draws,
                    self.whole,
                    workers=number % 2 * 2,
                    is_resumed=number % RESUMED_EACH == 0,
                )
            )

    def disturb(self, name: str, each: int) -> None:
        """Kill or stop another command."""
        with self._recorded(name) as (place, draws):
            found = disturb_commands(self.ready, place, draws, self.whole.run, each, [name])
            self.commands |= found

    def _heard(self) -> list[Stop]:
        return [stop for stop in self.stops if not stop.is_late]

    @contextmanager
    def _recorded(self, name: str) -> Iterator[tuple[Path, random.Random]]:
        """A place and moments for a trial; what came of it is written down."""
        place = self.folder / name.replace(" ", "-")
        try:
            yield place, random.Random(f"{self.seed} {name}")
        except Exception as error:
            self.failures.append(f"{name}: {error}")
        finally:
            shutil.rmtree(place, ignore_errors=True)
            with self.turn:
                FAULTS.write_text(json.dumps(self._figures(), indent=1) + "\n")

    def _figures(self) -> dict[str, Any]:
        heard = self._heard()
        codes = Counter(f"{Signals(stop.number).name}: {stop.code}" for stop in heard)
        return {
            "seed": self.seed,
            "python": platform.python_version(),
            "minutes": round((time.monotonic() - self.start) / 60, 1),
            "kills met without workers": self.kills[0],
            "kills met with 2 workers": self.kills[2],
            "killed runs that ended bit for bit": self.compared,
            "signals met": len(heard),
            "exit codes": dict(sorted(codes.items())),
            "most seconds until the end": round(max((s.seconds for s in heard), default=0), 1),
            "faults met by other commands": self.commands,
            "failures": self.failures,
        }


if __name__ == "__main__":
    main()
