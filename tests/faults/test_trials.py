"""Kills and stop signals at random moments, a few; ``tests.benchmarks.faults`` has them all."""

import random
import signal

import pytest

from tests.faults.commands import disturb_commands
from tests.faults.ready import ReadyPrograms
from tests.faults.trials import killed_run, stopped_run, whole_run

KILLS, STOPS, RESUMED = 3, 12, 12

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def ready():
    with ReadyPrograms() as programs:
        yield programs


@pytest.fixture(scope="module")
def whole(ready, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    whole_run(ready, folder / "first")  # the libraries are loaded after it
    return whole_run(ready, folder / "second")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    ready, whole, tmp_path, workers
):
    draws = random.Random(f"{workers} workers")
    met = killed_run(ready, tmp_path / "run", draws, whole, kills=KILLS, workers=workers)
    print(f"{met} of {KILLS} kills met the run alive: 0 bits differ")


def test_a_stop_signal_at_any_moment_ends_a_run_that_is_saved(ready, whole, tmp_path):
    draws, seconds = random.Random("stops"), []
    for number in range(STOPS):
        stop = stopped_run(
            ready,
            tmp_path / str(number),
            draws,
            whole,
            workers=number % 2 * 2,
            is_resumed=number % RESUMED == 0,
        )
        if not stop.is_late:
            seconds.append(stop.seconds)
            print(f"{signal.Signals(stop.number).name}: {stop.code} in {stop.seconds:.1f} s")
    print(f"{len(seconds)} signals: 0 hangs")
    assert seconds


def test_a_fault_in_another_command_damages_nothing(ready, whole, tmp_path):
    names = ("evaluate", "predict", "report", "data audit")
    met = disturb_commands(ready, tmp_path, random.Random("commands"), whole.run, 2, names)
    print(f"faults that met a command alive: {met}; 0 files damaged")
