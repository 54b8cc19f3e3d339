"""Short trainings behind the tables of RESULTS.md on free bits and on the recipe.

    python -m tests.benchmarks.short_runs --easy-vqa FOLDER [--out FOLDER] [ARM ...]

trains every arm with three seeds through the real command, one after the other,
skips what is recorded, and adds to ``results/short_runs.json``. About two
minutes a run on one CPU core. FOLDER holds easy-VQA's ``train.csv`` and
``images``; its runs use a quarter of the training images, validated on others.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from latentvqa.history import read_history

RESULTS = Path(__file__).parent / "results" / "short_runs.json"
SEEDS = (0, 1, 2)
TRAIN_IMAGES, VAL_IMAGES = 1000, 500
GROUPS = ("decoder", "latent", "fusion", "question", "vision")
RATES = [f"optimizer.{group}_rate=5e-4" for group in GROUPS]

ARMS: dict[str, list[str]] = {
    "easy-vqa/default": [],
    "easy-vqa/free_bits=0.05": ["kl.free_bits=0.05"],
    "easy-vqa/free_bits=0.02": ["kl.free_bits=0.02"],
    "easy-vqa/free_bits=0.01": ["kl.free_bits=0.01"],
    "easy-vqa/free_bits=auto": ['kl.free_bits="auto"'],
    "easy-vqa/temperature=0": ["latent.temperature=0"],
    "easy-vqa/temperature ramp 0": ["latent.temperature_warmup_epochs=0"],
    "easy-vqa/initial_logvar=-3": ["latent.initial_logvar=-3"],
    "easy-vqa/token_dropout=0": ["latent.token_dropout=0"],
    "easy-vqa/width=64": ["fusion.width=64"],
    "easy-vqa/KL warm-up 0": ["kl.warmup_epochs=0"],
    "easy-vqa/rates 5e-4": RATES,
    "scenes/default": [],
    "scenes/free_bits=0.05": ["kl.free_bits=0.05"],
    "scenes/free_bits=0.02": ["kl.free_bits=0.02"],
    "scenes/free_bits=0.01": ["kl.free_bits=0.01"],
    "scenes/free_bits=auto": ['kl.free_bits="auto"'],
}


def options_of(arm: str, seed: int, tables: str) -> list[str]:
    """Options of ``latentvqa train`` for one run."""
    base = ["--preset", "quickstart"]
    settings = [*ARMS[arm], f"run.seed={seed}", "run.threads=1"]
    if arm.startswith("easy-vqa/"):
        base = ["--preset", "easy-vqa"]
        settings = [
            f"data.train={tables}/train.csv",
            f"data.val={tables}/val.csv",
            f"data.images={tables}/images",
            "stages.warmup=12",
            "stages.full=0",
            *settings,
        ]
    return [*base, *(part for text in settings for part in ("--set", text))]


def write_quarter(source: Path, folder: Path) -> None:
    """Tables of a quarter of easy-VQA's training images, and of others to validate on."""
    with (source / "train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = sorted({row["image"] for row in rows})
    random.Random(0).shuffle(images)
    parts = {"train": images[:TRAIN_IMAGES], "val": images[TRAIN_IMAGES:][:VAL_IMAGES]}
    for name, chosen in parts.items():
        held = set(chosen)
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(row for row in rows if row["image"] in held)
    (folder / "images").symlink_to((source / "images").resolve())


def recorded(log: Path, arm: str, seed: int, commit: str) -> dict[str, Any]:
    """What the tables need of one run."""
    history = read_history(log)
    last = history.records[-1]
    return {
        "arm": arm,
        "seed": seed,
        "commit": commit,
        "command": " ".join(["latentvqa train", *options_of(arm, seed, "easy-vqa-quarter")]),
        "free_bits": history.header.kl.free_bits,
        "tokens": history.header.kl.tokens,
        "dims": history.header.kl.dims,
        "exact_match": [round(record.val.exact_match or 0.0, 5) for record in history.records],
        "kl_raw": last.train.kl_raw,
        "penalty_reduction": last.train.penalty_reduction,
        "rate": last.val.rate,
        "information_bound": last.val.information_bound,
        "answer_entropy": last.val.answer_entropy,
        "answer_gain": last.val.answer_gain,
    }


def keep(result: dict[str, Any]) -> None:
    """Add a run to the results, in the order of the arms."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    key = (result["arm"], result["seed"])
    known = [one for one in known if (one["arm"], one["seed"]) != key] + [result]
    known.sort(key=lambda one: (list(ARMS).index(one["arm"]), one["seed"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--easy-vqa", type=Path, required=True)
    parser.add_argument("arms", nargs="*", default=list(ARMS))
    asked = parser.parse_args()
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(one["arm"], one["seed"]) for one in known}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as folder:
        write_quarter(asked.easy_vqa, Path(folder))
        for seed in SEEDS:
            for arm in (arm for arm in asked.arms if (arm, seed) not in done):
                run = Path(folder) / "run"
                command = [sys.executable, "-m", "latentvqa", "train", "--out", str(run)]
                subprocess.run(
                    [*command, "--overwrite", *options_of(arm, seed, folder)],
                    check=True,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )
                keep(recorded(run, arm, seed, commit))


if __name__ == "__main__":
    main()
