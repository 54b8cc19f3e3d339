"""The Gaussian latent beside its controls on easy-VQA, read on the test table.

    python -m tests.benchmarks.controls --easy-vqa FOLDER --out FOLDER [ARM ...]

trains each arm with three seeds through the real command, evaluates the chosen
checkpoint on ``test.csv`` (once each), skips what is there, and puts it into
``results/easy_vqa_controls.json``. Four to ten minutes a run on one CPU core.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.engine.metrics.confidence import risk_curve
from latentvqa.engine.metrics.intervals import estimate_of, image_resamples, mean_with_interval
from latentvqa.history import read_history

RESULTS = Path(__file__).parent / "results" / "easy_vqa_controls.json"
SEEDS = (0, 1, 2)
BASE = ("stages.warmup=6", "stages.full=2", "kl.warmup_epochs=5", "run.threads=1")
SHORT = ("stages.warmup=2", "stages.full=0")
ARMS: dict[str, tuple[str, ...]] = {
    "gaussian": (),
    "deterministic": ("latent.bottleneck=deterministic",),
    "none": ("latent.bottleneck=none",),
    "question-only": ("vision.blind=true",),
    "short-gaussian": (*SHORT, "kl.warmup_epochs=2"),
    "short-deterministic": (*SHORT, "latent.bottleneck=deterministic"),
}
PAIRS = (("gaussian", "deterministic"), ("gaussian", "none"), ("gaussian", "question-only"))
SHORT_PAIR = ("short-gaussian", "short-deterministic")
RESAMPLES = 1000


def options_of(arm: str, seed: int, tables: str) -> list[str]:
    """Options of ``latentvqa train`` for one run."""
    settings = (
        f"data.train={tables}/train.csv",
        f"data.images={tables}/images",
        *(*BASE, *ARMS[arm], f"run.seed={seed}"),
    )
    return ["--preset", "easy-vqa", *(part for text in settings for part in ("--set", text))]


def run_of(folder: Path, arm: str, seed: int) -> Path:
    """Run folder of an arm."""
    return folder / f"easy-{arm}-{seed}"


def train(folder: Path, tables: Path, arm: str, seed: int) -> None:
    """Train and evaluate one run, unless its evaluation is there."""
    run = run_of(folder, arm, seed)
    if (run / "evaluations" / "test" / "evaluation.json").exists():
        return
    start = [sys.executable, "-m", "latentvqa"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    options = ["--resume", str(run)]
    if not run.exists():
        options = [*options_of(arm, seed, str(tables)), "--out", str(run)]
    subprocess.run([*start, "train", *options], check=True, env=environment)
    table = ["--data", str(tables / "test.csv"), "--images", str(tables / "images")]
    subprocess.run(
        [*start, "evaluate", str(run), *table, "--latent-use"], check=True, env=environment
    )


def recorded(run: Path, arm: str, seed: int, commit: str) -> dict[str, Any]:
    """What the table needs of one run."""
    found = json.loads((run / "evaluations" / "test" / "evaluation.json").read_text())
    records = read_history(run).records
    use = found["latent_use"]
    return {
        "arm": arm,
        "seed": seed,
        "commit": commit,
        "command": " ".join(["latentvqa train", *options_of(arm, seed, "easy-vqa")]),
        "validation": [round(record.val.exact_match or 0.0, 5) for record in records],
        "minutes": round(sum(sum(record.seconds.values()) for record in records) / 60, 2),
        "metrics": found["metrics"],
        "priors": found["priors"],
        "confidence": {
            name: found["confidence"][name]
            for name in ("calibration_error", "auroc", "aurc", "logit_temperature")
        },
        "verdict": None if use["verdict"] is None else use["verdict"]["sentence"],
        "shuffled": use["arms"].get("latents_of_another_image"),
        "rate": found["losses"]["rate"],
        "information": use["information"],
    }


def rows_of(run: Path) -> dict[str, np.ndarray]:
    """Being right, confidence and image of every test row."""
    with (run / "evaluations" / "test" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        "right": np.array([float(row["correct"]) for row in rows]),
        "confidence": np.array([float(row["confidence"]) for row in rows]),
        "image": np.array([row["image"] for row in rows]),
    }


def compared(folder: Path, one: str, other: str) -> dict[str, Any] | None:
    """Difference of exact match, each seed and over all, paired by row."""
    seeds = [
        seed
        for seed in SEEDS
        if all(
            (run_of(folder, arm, seed) / "evaluations" / "test").is_dir() for arm in (one, other)
        )
    ]
    if not seeds:
        return None
    differences = {}
    for seed in seeds:
        mine, theirs = rows_of(run_of(folder, one, seed)), rows_of(run_of(folder, other, seed))
        differences[seed] = mine["right"] - theirs["right"]
        images = mine["image"]
    each = {seed: asdict(mean_with_interval(d, images)) for seed, d in differences.items()}
    over = mean_with_interval(np.mean(list(differences.values()), axis=0), images)
    return {"arms": [one, other], "each": each, "all": asdict(over)}


def risk_compared(folder: Path, one: str, other: str, seed: int) -> dict[str, Any] | None:
    """Difference of the risk-coverage areas, bootstrapped over the same images."""
    runs = [run_of(folder, arm, seed) for arm in (one, other)]
    if not all((run / "evaluations" / "test").is_dir() for run in runs):
        return None
    tables = [rows_of(run) for run in runs]
    _, index = np.unique(tables[0]["image"], return_inverse=True)

    def difference(rows: np.ndarray) -> float:
        areas = [
            risk_curve(table["confidence"][rows], table["right"][rows]).mean() for table in tables
        ]
        return float(areas[0] - areas[1])

    values = [
        difference(np.repeat(np.arange(len(index)), drawn[index].astype(np.int64)))
        for drawn in image_resamples(int(index.max()) + 1, RESAMPLES)
    ]
    whole = difference(np.arange(len(index)))
    measure = estimate_of(
        whole, np.array(values), rows=len(index), images=int(index.max()) + 1, bounds=(-1.0, 1.0)
    )
    return {
        "arms": [one, other],
        "seed": seed,
        "errors": [int((1 - table["right"]).sum()) for table in tables],
        "difference": asdict(measure),
    }


def merge(folder: Path, arm: str, seed: int, commit: str) -> None:
    """Put a run, and the comparisons that it completes, in the place of earlier ones."""
    known = json.loads(RESULTS.read_text())
    runs = {(run["arm"], run["seed"]): run for run in known["runs"]}
    runs[arm, seed] = recorded(run_of(folder, arm, seed), arm, seed, commit)
    pairs = {tuple(pair["arms"]): pair for pair in known["pairs"]}
    risks = {risk["seed"]: risk for risk in known["risks"]}
    for pair in PAIRS:
        if arm in pair and (found := compared(folder, *pair)) is not None:
            pairs[pair] = found
    if arm in SHORT_PAIR and (risk := risk_compared(folder, *SHORT_PAIR, seed)) is not None:
        risks[seed] = risk
    order = [(name, number) for name in ARMS for number in SEEDS]
    result = {
        "runs": [runs[key] for key in order if key in runs],
        "pairs": [pairs[pair] for pair in PAIRS if pair in pairs],
        "risks": [risks[number] for number in SEEDS if number in risks],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--easy-vqa", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--commit", help="of the runs that are there already")
    parser.add_argument("arms", nargs="*", default=list(ARMS))
    asked = parser.parse_args()
    here = ["git", "rev-parse", "--short", "HEAD"]
    commit = asked.commit or subprocess.run(here, capture_output=True, text=True, check=True).stdout
    for arm in asked.arms:
        for seed in SEEDS:
            train(asked.out, asked.easy_vqa, arm, seed)
            merge(asked.out, arm, seed, commit.strip())


if __name__ == "__main__":
    main()
