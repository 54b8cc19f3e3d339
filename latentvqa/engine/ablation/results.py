"""What is on disk of an ablation, as arms with their spread and their comparison."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentvqa.config import Ablation
from latentvqa.core.ablation import (
    COMPARED,
    MEASURES,
    AblationResult,
    ArmResult,
    Comparison,
    RunResult,
)
from latentvqa.core.estimates import Estimate, spread
from latentvqa.core.figures import counted
from latentvqa.engine.ablation.runs import RunPlace, places_of
from latentvqa.engine.metrics.paired_tests import (
    RowKey,
    difference_over_images,
    difference_over_seeds,
    holm,
    p_of_no_difference,
    smallest_detectable_difference,
)
from latentvqa.engine.runs.evaluations import ANEW, read_evaluation
from latentvqa.errors import CheckpointError
from latentvqa.history import read_history
from latentvqa.sums import DamagedFileError, NewerFormatError, read_summed

_SHUFFLED = "exact_match_latents_shuffled"


def collect_results(ablation: Ablation, root: Path) -> AblationResult:
    """Read every run of a plan as far as it is; trains nothing.

    Raises:
        CheckpointError: if a finished run's files cannot be read.
    """
    places = places_of(ablation, root)
    runs = [_result(place) for place in places]
    finished = {
        (run.arm, run.seed): place
        for place, run in zip(places, runs, strict=True)
        if run.measures is not None
    }
    arms = []
    for name in ablation.arms:
        of_arm = [run.measures for run in runs if run.arm == name and run.measures is not None]
        arms.append(
            ArmResult(
                name=name,
                changes=ablation.changes[name],
                spreads=_spreads(of_arm),
                comparison=None
                if name == ablation.default
                else _comparison(name, ablation, runs, finished),
            )
        )
    arms = corrected_for_arms(arms)
    compared = [one.comparison.over_seeds["exact_match"] for one in arms if one.comparison]
    return AblationResult(
        name=ablation.name,
        description=ablation.description,
        default=ablation.default,
        seeds=ablation.seeds,
        arms=arms,
        runs=runs,
        notes=_notes(arms, finished),
        smallest_detectable=smallest_detectable_difference(compared),
    )


def corrected_for_arms(arms: Sequence[ArmResult]) -> list[ArmResult]:
    """The arms with their p-values corrected for the number of them."""
    p_values = {
        arm.name: arm.comparison.p_value
        for arm in arms
        if arm.comparison is not None and arm.comparison.p_value is not None
    }
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [
        arm
        if arm.comparison is None or arm.name not in corrected
        else replace(arm, comparison=replace(arm.comparison, p_holm=corrected[arm.name]))
        for arm in arms
    ]


def outcome_of(place: RunPlace) -> str:
    """How a run ended, in a line."""
    ending = place.ending()
    if ending is not None and ending.exit_code != 0:
        return f"failed: {ending.message}"
    found = _measures(place)
    return (
        f"finished: exact match {100.0 * found['exact_match']:.1f} %, "
        f"{counted(round(found['epochs']), 'epoch')}, {found['seconds']:.0f} s"
    )


def _result(place: RunPlace) -> RunResult:
    state, ending = place.state(), place.ending()
    return RunResult(
        arm=place.arm,
        seed=place.seed,
        key=place.key,
        state=state,
        message=ending.message if ending is not None and state == "failed" else "",
        measures=_measures(place) if state == "finished" else None,
    )


def _measures(place: RunPlace) -> dict[str, float]:
    """Measures of the best checkpoint, and the length of the run."""
    try:
        found = read_evaluation(place.evaluation)
        scores, losses = found["metrics"], found["losses"]
        records = read_history(place.folder).records
        measures = {
            "exact_match": scores["exact_match"]["value"],
            "answer_loss": losses["answer_loss"],
            "kl_raw": losses["kl_raw"],
            "rate": losses["rate"],
            "penalty_reduction": _reduction(losses),
            "exact_match_latents_shuffled": scores.get(_SHUFFLED, {}).get("value"),
            "epochs": float(len(records)),
            "seconds": sum(value for record in records for value in record.seconds.values()),
        }
    except NewerFormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, DamagedFileError) as error:
        raise CheckpointError(
            f"{place.evaluation}: cannot be read ({error}). Remove {place.folder} and its "
            f"{place.key}.json, and run it again."
        ) from error
    return {name: value for name, value in measures.items() if value is not None}


def _reduction(losses: Mapping[str, Any]) -> float | None:
    if not losses["kl_raw"]:
        return None
    share: float = (losses["kl_raw"] - losses["kl_after"]) / losses["kl_raw"]
    return share


def _spreads(runs: Sequence[Mapping[str, float]]) -> dict[str, Estimate]:
    return {
        measure: spread(values)
        for measure in MEASURES
        if (values := [run[measure] for run in runs if measure in run])
    }


def _comparison(
    arm: str,
    ablation: Ablation,
    runs: Sequence[RunResult],
    finished: Mapping[tuple[str, int], RunPlace],
) -> Comparison | None:
    """Against the default, on the seeds that both have finished."""
    seeds = [
        seed
        for seed in ablation.seeds
        if (arm, seed) in finished and (ablation.default, seed) in finished
    ]
    if not seeds:
        return None
    measures = {(run.arm, run.seed): run.measures or {} for run in runs}
    differences: dict[str, list[float]] = {name: [] for name in COMPARED}
    for seed in seeds:
        mine, other = measures[arm, seed], measures[ablation.default, seed]
        for name in COMPARED:
            differences[name].append(mine[name] - other[name])
    pairs = [
        (_correctness(finished[arm, seed]), _correctness(finished[ablation.default, seed]))
        for seed in seeds
    ]
    over_seeds = {name: difference_over_seeds(values) for name, values in differences.items()}
    over_images = difference_over_images(pairs)
    p_value = p_of_no_difference(over_seeds["exact_match"], over_images)
    return Comparison(over_seeds, over_images, p_value)


def _correctness(place: RunPlace) -> dict[RowKey, bool]:
    """Whether each validation row is right, by image, question, reference and row."""
    path = place.evaluation / "predictions.csv"
    try:
        text = read_summed(path, ANEW).decode()
        return {
            (row["image"], row["question"], row["reference"], row["row"]): row["correct"] == "1"
            for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)
        }
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error


def _notes(arms: Sequence[ArmResult], finished: Mapping[tuple[str, int], RunPlace]) -> list[str]:
    notes = []
    tables = {
        read_history(place.folder).header.data.get("train", {}).get("sha256")
        for place in finished.values()
    }
    if len(tables) > 1:
        notes.append("Not all runs were trained on the same table.")
    unpaired = [
        arm.name
        for arm in arms
        if arm.comparison is not None and arm.comparison.over_images is None
    ]
    if unpaired:
        notes.append(
            f"{', '.join(unpaired)}: validated on other rows than the default, so nothing is "
            "paired by image."
        )
    return notes
