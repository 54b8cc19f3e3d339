"""One run of an ablation as a process of its own: memory, threads and seeds are clean."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from latentvqa.engine.ablation.runs import Ending, RunPlace, planned_epochs
from latentvqa.engine.runtime.signals import EXIT_CODES, Interrupted, StopFlag
from latentvqa.history import LOG_NAME

_POLL_SECONDS = 0.2
_ERROR = "error: "


def train_in_process(
    place: RunPlace, lock: int, stop: StopFlag, on_epochs: Callable[[int, int], None]
) -> Ending:
    """Start or resume a run, and wait for its end.

    A signal is passed on once, and the process saves what it has.

    Args:
        place: the run; its configuration file is written.
        lock: descriptor of its lock; the process holds it too, so that nobody
            writes into the folder while it lives.
        stop: says when to stop.
        on_epochs: called with the epochs done and planned.

    Raises:
        Interrupted: if the run was stopped before its end.
    """
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    with place.output_file.open("ab") as output:
        start = output.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            _command(place),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C reaches it through us alone
            pass_fds=(lock,),
        )
    _wait(process, place, stop, on_epochs)
    code = process.returncode
    if code != 0 and stop.exit_code is not None:
        raise Interrupted(stop.exit_code)
    if code in EXIT_CODES.values():  # somebody stopped it alone
        raise Interrupted(code)
    return Ending(code, "" if code == 0 else _error_in(place.output_file, start, code))


def _command(place: RunPlace) -> list[str]:
    command = [sys.executable, "-m", "latentvqa", "train"]
    if (place.folder / "last").is_file():
        return [*command, "--resume", str(place.folder)]
    shutil.rmtree(place.folder, ignore_errors=True)  # killed before its first checkpoint
    return [*command, "--config", str(place.config_file), "--out", str(place.folder)]


def _wait(
    process: subprocess.Popen[bytes],
    place: RunPlace,
    stop: StopFlag,
    on_epochs: Callable[[int, int], None],
) -> None:
    signals = {code: number for number, code in EXIT_CODES.items()}
    is_told = False
    while True:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if stop.exit_code is not None and not is_told:
                process.send_signal(signals[stop.exit_code])
                is_told = True
            on_epochs(_epochs_in(place.folder / LOG_NAME), planned_epochs(place.config))
        else:
            return


def _epochs_in(log: Path) -> int:
    """Lines after the header."""
    try:
        return max(0, log.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def _error_in(output: Path, start: int, code: int) -> str:
    """The error that a process printed last, from there to its end."""
    text = output.read_bytes()[start:].decode(errors="replace").strip()
    lines = text.splitlines()
    for index in reversed(range(len(lines))):
        if lines[index].startswith(_ERROR):
            return "\n".join(lines[index:]).removeprefix(_ERROR)
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}; memory may have run out"
    return lines[-1] if lines else f"the process ended with exit code {code}"
