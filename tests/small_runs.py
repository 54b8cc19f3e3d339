"""Runs of two seconds: their configuration, observers, and the command line around them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from latentvqa.config import Config, load_config
from latentvqa.data.table_files import parse_table
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import Outcome, train
from latentvqa.history import LOG_NAME
from latentvqa.stopping import Interrupted, heard_signals
from latentvqa.sums import replace_summed

SMALL = {
    "data.scenes": "easy",
    "data.scene_images": 40,
    "data.scene_questions": 8,
    "vision.name": "test_resnet",
    "vision.image_size": 48,
    "vision.stride": 8,
    "fusion.width": 32,
    "fusion.dropout": 0.1,
    "latent.dims": 16,
    "loader.batch_size": 32,
    "stages.warmup": 2,
    "stages.full": 2,
    # high enough that a run of 36 steps learns to answer
    **{
        f"optimizer.{name}_rate": 0.003
        for name in ("vision", "question", "fusion", "latent", "decoder")
    },
    "run.threads": 1,
    "run.precision": "fp32",
}
TIMINGS = ("seconds", "questions_per_second", "peak_memory_mib", "sum")
STEPS = 9  # of an epoch of the small run
ROOT = Path(__file__).parents[1]


def small_overrides(*changes: str, **dropped: None) -> list[str]:
    """``key=value`` texts of a small run; later ones win."""
    return [f"{key}={value}" for key, value in SMALL.items() if key not in dropped] + list(changes)


# a run of two short epochs, as options of the command line
BRIEF = ("data.scene_images=20", "stages.warmup=1", "stages.full=1")
TINY = [part for text in small_overrides(*BRIEF) for part in ("--set", text)]


def set_options(*changes: str) -> list[str]:
    """The same as options of ``latentvqa train``."""
    return [part for text in small_overrides(*changes) for part in ("--set", text)]


def small_config(*changes: str) -> Config:
    return load_config(None, overrides=small_overrides(*changes))


@dataclass
class Recorder(Observer):
    """Remembers what it hears, and the weights after each epoch where asked to."""

    run: Path | None = None
    notices: list[str] = field(default_factory=list)
    plans: list = field(default_factory=list)
    weights: list = field(default_factory=list)

    def notice(self, text):
        self.notices.append(text)

    def planned(self, plan):
        self.plans.append(plan)

    def epoch(self, header, records, diagnosis):
        if self.run is not None:
            self.weights.append(load_checkpoint(self.run / "last").weights)


class Interrupter(Observer):
    """Sends this process a signal at the n-th progress report of a phase."""

    def __init__(self, phase: str, report: int, number: int = signal.SIGINT):
        self.phase, self.left, self.number = phase, report, number

    def progress(self, phase, done, total):
        if phase == self.phase:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), self.number)


@contextmanager
def interrupted() -> Iterator[pytest.ExceptionInfo[Interrupted]]:
    """A block that a signal ends, which is heard as the commands hear it."""
    with heard_signals(), pytest.raises(Interrupted) as caught:
        yield caught


@dataclass(frozen=True)
class Finished:
    run: Path
    outcome: Outcome
    recorder: Recorder


def train_small(run: Path, *changes: str) -> Finished:
    recorder = Recorder(run)
    outcome = train(small_config(*changes), run, recorder)
    return Finished(run, outcome, recorder)


@cache
def _trained_once(run: Path) -> Finished:
    return train_small(run)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One small run that nobody may change."""
    return _trained_once(tmp_path_factory.getbasetemp() / "finished-run")


def records_of(run: Path) -> list[dict]:
    """Epoch lines of a log without what depends on the clock."""
    lines = [json.loads(line) for line in (run / LOG_NAME).read_text().splitlines()]
    return [
        {key: value for key, value in line.items() if key not in TIMINGS}
        for line in lines
        if line["kind"] == "epoch"
    ]


def assert_same_run(run: Path, expected: Path) -> None:
    """Weights, optimizer, random state and log lines agree bit for bit."""
    one, other = load_checkpoint(run / "last"), load_checkpoint(expected / "last")
    assert one.folder.name == other.folder.name
    for mine, theirs in (
        (one.weights, other.weights),
        (one.trainer_tensors, other.trainer_tensors),
    ):
        assert mine.keys() == theirs.keys()
        assert [name for name in mine if not torch.equal(mine[name], theirs[name])] == []
    assert (run / "best").read_text() == (expected / "best").read_text()
    assert records_of(run) == records_of(expected)


def spoil_weights(run: Path, name: str, value: float) -> None:
    """Put a value into the newest checkpoint, as an overflow in training would."""
    checkpoint = load_checkpoint(run / "last")
    weights = dict(checkpoint.weights)
    weights[name] = torch.full_like(weights[name], value)
    path = checkpoint.folder / "model.safetensors"
    save_file(weights, path)
    replace_summed({path: path.read_bytes()})


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own that holds no more than ``size``, as mount writes it."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.name != "posix" or shutil.which("mount") is None:
        pytest.skip("there is no mount here")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        # lazily: loaded tensors are mapped files
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """The folder itself while nothing in it can be written, not even by root."""
    for options in (["--bind", str(folder), str(folder)], ["-o", "remount,bind,ro", str(folder)]):
        if shutil.which("mount") is None:
            pytest.skip("there is no mount here")
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


HOLD = """if True:
    import pathlib, sys
    from latentvqa.engine.runs.lock import sole_writer
    with sole_writer(pathlib.Path(sys.argv[1]), print):
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def held_elsewhere(run: Path) -> Iterator[subprocess.Popen]:
    """A run folder that another process writes into."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", HOLD, str(run)]
    with subprocess.Popen(command, cwd=ROOT, **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.stdin.close()


def write_images(folder: Path, count: int, side: int = 32) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    for index in range(count):
        pixels = draws.integers(0, 255, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def write_rows(path: Path, rows: Sequence[Sequence[str]], header="image,question,answer") -> Path:
    lines = [header, *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def questions(images: int, each: int = 4) -> list[tuple[str, str, str]]:
    return [
        (f"{image}.png", f"what {index}?", ("yes", "no")[(image + index) % 2])
        for image in range(images)
        for index in range(each)
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    table = parse_table(path, path.read_bytes())
    columns = {name: table.column(name) for name in table.names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


# a job in the background of a shell ignores Ctrl-C, and so would whatever it starts
_HEED_INTERRUPT = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def interruptible_python(*arguments: object) -> list[str]:
    """A command line of Python, heeding SIGINT however the tests were started."""
    return [sys.executable, "-c", _HEED_INTERRUPT, *map(str, arguments)]


def interruptible(*arguments: object) -> list[str]:
    """The same of the program."""
    return interruptible_python("-m", "latentvqa", *arguments)


def start_cli(*arguments: object, cwd: Path | None = None) -> subprocess.Popen:
    """The program as a process of its own, in a session of its own."""
    return subprocess.Popen(
        interruptible(*arguments),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def handles_signals(pid: int) -> bool:
    """Whether a process catches SIGTERM, which Python does not by itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def processes_of(folder: Path) -> list[int]:
    """Processes whose command line names a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(folder) in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def wait_until(happened, process: subprocess.Popen, seconds: float = 120.0) -> None:
    """Wait for a condition as long as the process lives."""
    end = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)
