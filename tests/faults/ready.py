"""The program in processes that have loaded its libraries: ``python -m tests.faults.ready``.

Loading takes longer than a small run. Here it is done once: every program is a
fork of a process that has loaded everything and computed nothing, leads a session
of its own, hears its own signals and dies its own death.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from latentvqa.stopping import SIGNALS

ROOT = Path(__file__).parents[2]


@dataclass
class ReadyProcess:
    """A program that runs.

    Attributes:
        pid: of its process, which leads its group.
        output: what it prints, both streams.
    """

    server: ReadyPrograms
    pid: int
    output: Path
    code: int | None = field(default=None)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.wait(0.0)

    def wait(self, seconds: float) -> int | None:
        """The same after some time."""
        end = time.monotonic() + seconds
        while self.code is None:
            self.code = self.server.ask({"wait": self.pid})
            if self.code is not None or time.monotonic() >= end:
                break
            time.sleep(min(0.02, max(0.0, end - time.monotonic())))
        return self.code

    def send(self, number: int, *, is_group: bool = False) -> None:
        """Send a signal to it, or to its group; nothing where it has ended."""
        if self.poll() is None:
            (os.killpg if is_group else os.kill)(self.pid, number)

    def text(self) -> str:
        """What it printed; nothing where it was ended before it could."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""


class ReadyPrograms:
    """Starts programs. Use as a context manager."""

    def __enter__(self) -> ReadyPrograms:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.ready"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started = count()
        self._turn = Lock()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def start(self, *arguments: object, cwd: Path) -> ReadyProcess:
        """Start the program in a folder."""
        output = cwd / f"output-{next(self._started)}.txt"
        asked = {"start": [str(one) for one in arguments], "cwd": str(cwd), "output": str(output)}
        return ReadyProcess(self, self.ask(asked), output)

    def ask(self, request: dict[str, Any]) -> Any:
        """What the server answers."""
        assert self._server.stdin is not None and self._server.stdout is not None
        with self._turn:
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            return json.loads(self._server.stdout.readline())


def _serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        answer = _start(request) if "start" in request else _code(request["wait"])
        print(json.dumps(answer), flush=True)


def _start(request: dict[str, Any]) -> int:
    # held back until the program's own process can take them
    former = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        return pid
    os.setsid()
    os.chdir(request["cwd"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, descriptor)
    sys.argv = ["latentvqa", *request["start"]]
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, former)
    from latentvqa.__main__ import run

    try:
        run()
    except BaseException:
        traceback.print_exc()  # as Python does at the end of a program
        sys.stderr.flush()
    finally:
        os._exit(99)  # never to come back to the server's loop


def _code(pid: int) -> int | None:
    """Exit code of a program that has ended."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    import matplotlib.pyplot
    import pyarrow.parquet
    import timm
    import torchvision

    import latentvqa.cli.console
    import latentvqa.data.audit.report
    import latentvqa.engine.ablation.runner
    import latentvqa.engine.complete_run
    import latentvqa.engine.evaluate_run
    import latentvqa.engine.prediction.predict
    import latentvqa.engine.run_report.fresh_answers

    assert matplotlib and pyarrow and timm and torchvision and latentvqa
    _serve()
