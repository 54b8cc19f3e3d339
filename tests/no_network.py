"""Commands in a process, and its children, in which every attempt to reach a network is noted.

``sitecustomize`` is what Python runs before all else, in children as well. Where
the system permits it there is no network besides, so that what is not Python's
cannot reach one either.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.small_runs import ROOT

_WATCH = """
import os, socket, sys
OUTWARD = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
def watch(event, arguments):
    if event not in OUTWARD or getattr(arguments[0], "family", None) == socket.AF_UNIX:
        return
    with open(os.environ["ATTEMPTS"], "a") as file:
        file.write(f"{event} {arguments[1:]!r} {sys.argv!r}\\n")
    raise OSError("there is no network in this test")
sys.addaudithook(watch)
"""

_COMMANDS = """
import json, sys
from latentvqa.cli import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["latentvqa", *command]
    code = 0
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code or 0
    print(json.dumps([command[0], code]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Watched:
    """What came of it.

    Attributes:
        codes: name and exit code of each command.
        attempts: to reach a network, one a line.
        text: what was printed.
    """

    codes: list[tuple[str, int]]
    attempts: str
    text: str


@cache
def _alone() -> tuple[str, ...]:
    """What starts a program where there is no network, if that is permitted."""
    command = ("unshare", "--net")
    if shutil.which("unshare") is None:
        return ()
    done = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if done.returncode == 0 else ()


def run_watched(place: Path, program: str, *arguments: str, **variables: str) -> tuple[str, str]:
    """Run a Python program; its attempts and what it printed."""
    watch, attempts = place / "watch", place / "attempts.txt"
    watch.mkdir(exist_ok=True)
    (watch / "sitecustomize.py").write_text(_WATCH)
    attempts.write_text("")
    known = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [*_alone(), sys.executable, "-c", program, *arguments],
        cwd=place,
        env={
            **known,
            "PYTHONPATH": f"{watch}{os.pathsep}{ROOT}",
            "OMP_NUM_THREADS": "1",
            "ATTEMPTS": str(attempts),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return attempts.read_text(), done.stdout + done.stderr


def commands_watched(place: Path, *commands: list[object], **variables: str) -> Watched:
    """Run commands one after the other in one process."""
    texts = json.dumps([[str(part) for part in command] for command in commands])
    attempts, text = run_watched(place, _COMMANDS, texts, **variables)
    lines = [line for line in text.splitlines() if line.startswith('["')]
    return Watched([tuple(json.loads(line)) for line in lines], attempts, text)
