"""Made-up ablations for the tests of what shows them."""

from latentvqa.core.ablation import (
    MEASURES,
    AblationResult,
    ArmResult,
    Comparison,
    RunResult,
)
from latentvqa.core.estimates import Estimate, spread

SEEDS = (0, 1, 2)


def measured(exact_match, kl_raw=0.08):
    found = {
        "exact_match": exact_match,
        "answer_loss": 0.1,
        "epochs": 9.0,
        "seconds": 50.25,
        "exact_match_latents_shuffled": 0.2,
    }
    if kl_raw is not None:
        found |= {"kl_raw": kl_raw, "rate": 1500 * kl_raw, "penalty_reduction": 0.996}
    return found


def arm(name, scores, comparison=None, changes=None, kl_raw=0.08):
    runs = [measured(score, kl_raw) for score in scores]
    spreads = {
        measure: spread([run[measure] for run in runs])
        for measure in MEASURES
        if runs and measure in runs[0]
    }
    return ArmResult(name, changes or {}, spreads, comparison)


def compared(value, over_seeds, over_images, n=3):
    images = None if over_images is None else Estimate(value, *over_images, 4000)
    over = {
        "exact_match": Estimate(value, *over_seeds, n),
        "answer_loss": Estimate(0.034, None, None, n),
    }
    return Comparison(over, images)


def result(*arms, states=None, seeds=SEEDS, notes=()):
    states = states or {}
    runs = []
    for seed in seeds:
        for one in arms:
            state, message = states.get((one.name, seed), ("finished", ""))
            found = measured(0.9) if state == "finished" else None
            runs.append(RunResult(one.name, seed, f"key{len(runs)}", state, message, found))
    return AblationResult("kl-factor", "KL factor: 0.1 or 0.2", "0.2", seeds, arms, runs, notes)


DEFAULT = arm("0.2", [0.93, 0.918, 0.996])
WORSE = arm(
    "0.1",
    [0.81, 0.8, 0.79],
    compared(-0.148, (-0.25, -0.0461), (-0.16, -0.139)),
    {"kl.factor": 0.1},
)
