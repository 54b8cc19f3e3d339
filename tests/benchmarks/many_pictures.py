"""Answers about very many pictures: memory, and what a kill costs.

    python -m tests.benchmarks.many_pictures RUN PICTURES [--count 10000] [--kills 3]

asks two questions about that many links to the pictures of a folder, is killed at
random moments and goes on with ``--resume``; prints rows a second, the most memory
of each call beyond that of a call about one picture, and whether every row is there
once.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTIONS = ("is there a fracture?", "what is shown?")


def main() -> None:
    """Answer, kill, resume, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    known = sorted(path for path in asked.pictures.iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "many", Path(place) / "out.csv"
        folder.mkdir()
        for number in range(asked.count):
            source = known[number % len(known)].resolve()
            (folder / f"{number:06}{source.suffix}").symlink_to(source)
        alone, _ = _call(asked.run, known[0], Path(place) / "alone.csv", None)
        started, peaks = time.monotonic(), []
        for _ in range(asked.kills):
            peaks.append(_call(asked.run, folder, out, draw.uniform(5, 40))[0])
        peak, code = _call(asked.run, folder, out, None)
        peaks.append(peak)
        seconds = time.monotonic() - started
        with out.open(encoding="utf-8", newline="") as file:
            rows = [(row["image"], row["question"]) for row in csv.DictReader(file)]
        wanted = [(path.name, text) for path in sorted(folder.iterdir()) for text in QUESTIONS]
        more = (max(peaks) - alone) / 1024
        print(f"{len(rows):,} rows in {seconds:.0f} s, {asked.kills} kills, exit code {code}")
        print(f"most memory {max(peaks) / 1024:.0f} MiB, {more:.0f} MiB beyond one picture")
        print("every row once, in order" if rows == wanted else "ROWS ARE LOST OR TWICE")


def _call(run: Path, pictures: Path, out: Path, seconds: float | None) -> tuple[int, int]:
    """Most memory of a call in KiB, and its exit code; killed after some seconds of rows."""
    command = [sys.executable, "-m", "latentvqa", "predict", str(run), str(pictures)]
    for text in QUESTIONS:
        command += ["--question", text]
    process = subprocess.Popen([*command, "--out", str(out), "--resume"], stderr=subprocess.PIPE)
    part, peak, begun = out.with_name(f"{out.name}.part"), 0, None
    while process.poll() is None:
        peak = max(peak, _peak(process.pid))
        begun = begun or (time.monotonic() if part.exists() else None)
        if seconds is not None and begun is not None and time.monotonic() - begun > seconds:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    process.communicate()
    return peak, process.returncode


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM 0")
    return int(line.split()[1])


if __name__ == "__main__":
    main()
