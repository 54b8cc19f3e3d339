"""One run of an ablation as a process of its own: memory, threads and seeds are clean."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from latentvqa.durable import append_file
from latentvqa.engine.ablation.runs import Ending, RunPlace, planned_epochs
from latentvqa.history import LOG_NAME
from latentvqa.python_process import python_command, python_environment
from latentvqa.regular_files import read_regular
from latentvqa.stopping import SIGNALS, Interrupted, before_quitting, exit_code_of, requested

_POLL_SECONDS = 0.2
_CHILD = "latentvqa.engine.ablation.child"


def train_in_process(place: RunPlace, lock: int, on_epochs: Callable[[int, int], None]) -> Ending:
    """Start or resume a run, and wait for its end; call it where signals are deferred.

    The process writes its own ending; one is made up here where it could not. A
    signal is passed on once, and the process saves what it has, as it does where this
    one is killed.

    Args:
        place: the run; its configuration file is written.
        lock: descriptor of its lock; the process holds it too, so that nobody
            writes into the folder while it lives.
        on_epochs: called with the epochs done and planned.

    Raises:
        Interrupted: if the run was stopped before its end.
    """
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    place.forget_ending()
    with append_file(place.output_file) as output:
        start = output.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            python_command(_CHILD, place.folder, place.config_file, place.ending_file),
            stdin=subprocess.PIPE,  # its end tells the process that this one has gone
            stdout=output,
            stderr=subprocess.STDOUT,
            env=python_environment(),
            start_new_session=True,  # the terminal's Ctrl-C reaches it through us alone
            pass_fds=(lock,),
        )
    with before_quitting(process.kill), process:
        _wait(process, place, on_epochs)
    code, asked = process.returncode, requested()
    if code != 0 and asked is not None:
        raise Interrupted(asked)
    for number in SIGNALS:
        if code == exit_code_of(number):  # somebody stopped it alone
            raise Interrupted(number)
    ending = place.ending()
    if ending is not None and ending.exit_code == code:
        return ending
    return Ending(code, "" if code == 0 else _last_words(place.output_file, start, code))


def _wait(
    process: subprocess.Popen[bytes],
    place: RunPlace,
    on_epochs: Callable[[int, int], None],
) -> None:
    is_passed_on = False
    while True:
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            number = requested()
            if number is not None and not is_passed_on:
                process.send_signal(number)
                is_passed_on = True
            on_epochs(_epochs_in(place.folder / LOG_NAME), planned_epochs(place.config))
        else:
            return


def _epochs_in(log: Path) -> int:
    """Lines after the header."""
    try:
        return max(0, read_regular(log).count(b"\n") - 1)
    except OSError:
        return 0


def _last_words(output: Path, start: int, code: int) -> str:
    """What is known of a process that left no ending: its signal, or its last line."""
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}; memory may have run out"
    lines = read_regular(output)[start:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the process ended with exit code {code}"
