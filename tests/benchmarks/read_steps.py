"""How long and how much memory a log of single steps takes to read.

    python -m tests.benchmarks.read_steps [RECORDS]

prints seconds, records a second, and the ratio to parsing the JSON alone. For
the memory, run the reading itself under ``/usr/bin/time -v``:

    python -m tests.benchmarks.read_steps 1000000 --keep steps.jsonl
    /usr/bin/time -v latentvqa diagnose-kl steps.jsonl
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from latentvqa.logs import read_log


def write_steps(path: Path, records: int) -> None:
    """A log as a training script prints it, validation every 500 steps."""
    with path.open("w", encoding="utf-8") as file:
        for step in range(records):
            loss = 2.0 / (1.0 + step / 1000.0)
            row = {
                "step": step,
                "loss": loss + 0.2,
                "recon_loss": loss,
                "kl_raw": 0.1 + 0.01 * (step % 7),
                "kl": 0.02,
                "lr": 5e-4,
                "beta": min(step / 10_000.0, 3.0),
                "grad_norm": 1.25,
            }
            if step % 500 == 499:
                row |= {"val_loss": loss + 0.3, "val_kl_raw": 0.11}
            file.write(json.dumps(row) + "\n")


def main() -> None:
    """Write, parse, read, and print the ratio of the last two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.keep or Path(folder) / "steps.jsonl"
        write_steps(path, arguments.records)
        started = time.perf_counter()
        with path.open(encoding="utf-8") as file:
            for line in file:
                json.loads(line)
        parsing = time.perf_counter() - started
        started = time.perf_counter()
        history = read_log(path)
        reading = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    sys.stdout.write(
        f"{arguments.records} records in {reading:.1f} s "
        f"({arguments.records / reading:,.0f} a second), {reading / parsing:.1f} times the parsing "
        f"of the JSON alone; {len(history.records)} windows; peak {peak:.0f} MiB\n"
    )


if __name__ == "__main__":
    main()
