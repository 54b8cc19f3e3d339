"""Whether advice cures: a fault is planted, the advice that ``diagnose`` gives is applied.

    python -m tests.benchmarks.advice [FAULT ...]

trains, for every fault and seed, a model with the fault, reads its log, changes the
one key that the findings advise, and trains again from the start with the same seed.
The model with the fault is thereby the control of the other. What is recorded in
``results/advice.json`` is not trained again, so that it can be stopped at any time.
A run takes some ten seconds of one CPU core.

What "cured" means was written down before the runs: the finding is no warning any
more at the end of the second run, and what it speaks of is better by a stated amount.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentvqa.config import load_config
from latentvqa.core.diagnosis.diagnose import Diagnosis, diagnose
from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import Advice, Finding, severity
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import train
from latentvqa.history import LOG_NAME, read_history

RESULTS = Path(__file__).parent / "results" / "advice.json"
SEEDS = (0, 1, 2, 3, 4)
NEEDED = 4  # of the seeds, for an advice to stand

Measures = Mapping[str, float]
Settings = Mapping[str, str | float]

# A model that learns what the questions alone tell within six epochs of ten steps.
# Its epochs are few, and what the rules wait for is shortened with them.
BASE: Settings = {
    "data.scenes": '"easy"',
    "data.scene_images": 100,
    "data.scene_questions": 8,
    "data.val_fraction": 0.2,
    "vision.image_size": 32,
    "vision.stride": 16,
    "fusion.width": 48,
    "fusion.layers": 1,
    "latent.dims": 32,
    "kl.warmup_epochs": 1,
    "stages.warmup": 6,
    "stages.full": 0,
    "teacher.weight": 0.0,
    "early_stopping.target": 0.3,
    "loader.batch_size": 64,
    **{
        f"optimizer.{part}_rate": 3e-3
        for part in ("decoder", "latent", "fusion", "question", "vision")
    },
    "kl_health.early_start": 1,
    "kl_health.early_epoch": 2,
    "kl_health.tuning_epoch": 3,
    "kl_health.plateau_epochs": 2,
    "run.threads": 1,
    "run.precision": '"fp32"',
}


@dataclass(frozen=True)
class Fault:
    """A fault to plant, and what is expected of the advice against it.

    Attributes:
        what: the fault in words.
        settings: what makes the fault, on top of ``BASE``.
        codes: rules whose advice is tried on it.
        cured: what must be better, in words.
        measure: the one of ``measures_of`` that the table shows.
        shown: what the table calls it, and how it writes it.
        is_better: whether it is, from the measures before and after.
    """

    what: str
    settings: Settings
    codes: tuple[str, ...]
    cured: str
    measure: str
    shown: tuple[str, str]
    is_better: Callable[[Measures, Measures], bool]


def _has_revived(before: Measures, after: Measures) -> bool:
    is_in_use = after["active_units"] > before["active_units"]
    return is_in_use and after["gain_share"] >= 0.4 > 0.1 > before["gain_share"]


def _has_calmed(before: Measures, after: Measures) -> bool:
    is_no_worse = after["best_val_loss"] <= 1.05 * before["best_val_loss"]
    return is_no_worse and after["highest_kl_raw"] <= 0.2 * before["highest_kl_raw"]


REVIVED = (
    "more units are active, and at least 40 % of what the answers need is learnt, of which it "
    "was less than 10 % (the model without a fault learns some 50 %)"
)
FAULTS: dict[str, Fault] = {
    "heavy-kl": Fault(
        "the KL weight a thousandfold, no free bits",
        {"kl.free_bits": 0.0, "kl.factor": 200.0, "kl.warmup_epochs": 0},
        ("IN002",),
        REVIVED,
        "gain_share",
        ("learnt of what the answers need", "{:.2f}"),
        _has_revived,
    ),
    "fast-bottleneck": Fault(
        "a bottleneck sixty times too fast, no price for the KL",
        {
            "kl.max_weight": 0.0,
            "optimizer.latent_rate": 0.03,
            "optimizer.clip_norm": 100.0,
            "stages.warmup": 10,  # with the usual rate learning takes longer
        },
        ("IN011",),
        "the highest KL is at most a fifth of what it was, and the best validation answer loss "
        "at most 5 % higher",
        "highest_kl_raw",
        ("highest KL, nats", "{:.2f}"),
        _has_calmed,
    ),
}


def measures_of(records: Sequence[EpochRecord]) -> dict[str, float]:
    """What the faults are about, at the last epoch or the best one."""
    last = records[-1]
    found = {
        "gain_share": (last.val.answer_gain or 0.0) / (last.val.prior_nll or 1.0),
        "active_units": float(last.val.active_units or 0),
        "capacity": last.val.capacity,
        "kl_raw": last.train.kl_raw,
        "highest_kl_raw": max(record.train.kl_raw or 0.0 for record in records),
        "kl_share": last.train.kl_share,
        "best_train_loss": min(record.train.answer_loss or 0.0 for record in records),
        "best_val_loss": min(record.val.answer_loss or 0.0 for record in records),
        "last_val_loss": last.val.answer_loss,
    }
    return {name: float(f"{value or 0.0:.4g}") for name, value in found.items()}


def overrides_of(fault: Fault, seed: int, change: Advice | None = None) -> list[str]:
    """``key=value`` texts of one run, with the advised change where there is one."""
    settings = {**BASE, **fault.settings, "run.seed": seed}
    if change is not None:
        settings[change.key] = change.after
    return [f"{key}={value}" for key, value in settings.items()]


def trained(overrides: Sequence[str]) -> tuple[Diagnosis, dict[str, float]]:
    """Train one model, and judge it by its log."""
    config = load_config(None, overrides=overrides)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(config, run, Observer())
        log = read_history(run / LOG_NAME)
    return diagnose(log.header, log.records, config.kl_health), measures_of(log.records)


def warning_of(code: str, found: Diagnosis) -> Finding | None:
    """The open finding of a rule, if it is more than a remark."""
    held = (f for f in found.open_findings if f.code == code)
    return next((f for f in held if severity(f.level) >= severity("warning")), None)


def tried(fault: Fault, seed: int) -> dict[str, Any]:
    """Plant a fault, follow the advice of each of its codes, and see what became of it."""
    found, before = trained(overrides_of(fault, seed))
    seen = {code: warning_of(code, found) for code in fault.codes}
    advised = {code: held.advice for code, held in seen.items() if held and held.advice}
    retrained = {
        change: trained(overrides_of(fault, seed, change)) for change in set(advised.values())
    }
    codes: dict[str, Any] = {}
    for code, held in seen.items():
        change = advised.get(code)
        entry: dict[str, Any] = {"before": held and held.level, "advice": None, "cured": False}
        if change is not None:
            again, after = retrained[change]
            left = warning_of(code, again)
            entry["advice"] = {"key": change.key, "before": change.before, "after": change.after}
            entry["after"] = left and left.level
            entry["measures"] = after
            entry["cured"] = left is None and fault.is_better(before, after)
        codes[code] = entry
    return {"verdict": found.verdict.code, "measures": before, "codes": codes}


def recorded() -> list[dict[str, Any]]:
    """Every fault and seed that was tried."""
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return found


def cured_of(fault: str, code: str) -> int:
    """On how many seeds the advice of a rule cured a fault."""
    return sum(one["codes"][code]["cured"] for one in recorded() if one["fault"] == fault)


def keep(result: dict[str, Any]) -> None:
    """Add a trial to the results, in the order of the faults."""
    known = [
        one
        for one in recorded()
        if (one["fault"], one["seed"]) != (result["fault"], result["seed"])
    ] + [result]
    known.sort(key=lambda one: (list(FAULTS).index(one["fault"]), one["seed"]))
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", default=list(FAULTS))
    asked = parser.parse_args().faults
    done = {(one["fault"], one["seed"]) for one in recorded()}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for name in asked:
        for seed in (seed for seed in SEEDS if (name, seed) not in done):
            fault = FAULTS[name]
            result = tried(fault, seed)
            keep({"fault": name, "seed": seed, "commit": commit, **result})
            print(name, seed, {c: one["cured"] for c, one in result["codes"].items()}, flush=True)


if __name__ == "__main__":
    main()
