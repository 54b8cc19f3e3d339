"""How long and how much memory an audit of a large table takes.

    python -m tests.benchmarks.audit_rows [ROWS]

audits two tables with the real command, one that repeats 9,000 questions and one
in which every question is another, and prints seconds, CPU seconds, and the
ratio to reading the table with pandas alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd


def write_table(path: Path, rows: int, questions: int) -> None:
    """Ten rows an image, eight types, 3,001 answers, so many different questions."""
    with path.open("w", encoding="utf-8") as file:
        file.write("image,question,answer,type\n")
        for row in range(rows):
            asked = row % questions
            question = f"what is item {asked} doing near the thing{asked * 7 % 5003} today?"
            file.write(f"{row // 10:06d}.jpg,{question},answer{row * 31 % 3001},type{row % 8}\n")


def main() -> None:
    """Write, read, audit, and print the ratio of the last two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    rows = parser.parse_args().rows
    for questions in (9_000, rows):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "t.csv"
            write_table(table, rows, questions)
            started = time.perf_counter()
            pd.read_csv(table, dtype=str)
            reading = time.perf_counter() - started
            before, started = os.times(), time.perf_counter()
            command = [sys.executable, "-m", "latentvqa", "data", "audit", str(table), "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - started, os.times()
        busy = sum(after[2:4]) - sum(before[2:4])
        # of the largest child so far; the table of distinct questions, the larger, comes last
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
        sys.stdout.write(
            f"{rows:,} rows, {questions:,} questions: {seconds:.1f} s ({busy:.1f} s of CPU), "
            f"{seconds / reading:.1f} times the reading alone; peak {peak:,.0f} MiB\n"
        )


if __name__ == "__main__":
    main()
