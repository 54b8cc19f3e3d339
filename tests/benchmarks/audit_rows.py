"""How long and how much memory an audit of a large table takes.

    python -m tests.benchmarks.audit_rows [ROWS]

audits three tables with the real command: one repeats 9,000 questions, in one every
question is another, and in one every question has a word of its own. Prints
seconds, CPU seconds, and the ratio to reading the table with pandas alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd


def repeated(row: int) -> str:
    """One of 9,000 questions."""
    return combined(row % 9_000)


def combined(row: int) -> str:
    """A question that no other row asks, of 300 words."""
    first, second, third = row // 10_000 % 100, row // 100 % 100, row % 100
    return f"what is the colour{first} thing{second} doing near the thing{third} today?"


def numbered(row: int) -> str:
    """A question with a word that no other row has."""
    return f"what is item {row} doing near the thing{row % 100} today?"


def write_table(path: Path, rows: int, question: Callable[[int], str]) -> None:
    """Ten rows an image, eight types, 3,001 answers."""
    with path.open("w", encoding="utf-8") as file:
        file.write("image,question,answer,type\n")
        for row in range(rows):
            answer = f"answer{row * 31 % 3001},type{row % 8}"
            file.write(f"{row // 10:06d}.jpg,{question(row)},{answer}\n")


def main() -> None:
    """Write, read, audit, and print the ratio of the last two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    rows = parser.parse_args().rows
    for question in (repeated, combined, numbered):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "t.csv"
            write_table(table, rows, question)
            started = time.perf_counter()
            pd.read_csv(table, dtype=str)
            reading = time.perf_counter() - started
            before, started = os.times(), time.perf_counter()
            command = [sys.executable, "-m", "latentvqa", "data", "audit", str(table), "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - started, os.times()
        busy = sum(after[2:4]) - sum(before[2:4])
        # of the largest child so far: the tables grow
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        sys.stdout.write(
            f"{rows:,} rows, {question.__name__}: {seconds:.1f} s ({busy:.1f} s of CPU), "
            f"{seconds / reading:.1f} times the reading alone; peak {peak:,.0f} MiB\n"
        )


if __name__ == "__main__":
    main()
