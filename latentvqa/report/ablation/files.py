"""An ablation as plain values: JSON, and CSV of its arms and of its runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from latentvqa.core.ablation import COMPARED, MEASURES, AblationResult, ArmResult
from latentvqa.core.estimates import Estimate

SCHEMA = 1


def result_json(result: AblationResult) -> dict[str, Any]:
    """One object with a schema version; losses in nats, shares as fractions."""
    return {
        "schema": SCHEMA,
        "name": result.name,
        "description": result.description,
        "default": result.default,
        "seeds": list(result.seeds),
        "arms": {arm.name: _arm_json(arm) for arm in result.arms},
        "runs": [
            {
                "number": number,
                "arm": run.arm,
                "seed": run.seed,
                "folder": f"runs/{run.key}",
                "state": run.state,
                "message": run.message,
                "metrics": None if run.measures is None else dict(run.measures),
            }
            for number, run in enumerate(result.runs)
        ],
        "notes": list(result.notes),
        "smallest_detectable_difference": result.smallest_detectable,
    }


def arms_csv(result: AblationResult) -> str:
    """A row per arm: mean, lowest and highest of every measure, and the comparison."""
    columns = ["arm", "changes", "seeds"]
    columns += [f"{name}{end}" for name in MEASURES for end in ("", "_lowest", "_highest")]
    columns += [f"{name}_difference{end}" for name in COMPARED for end in ("", "_low", "_high")]
    columns += [f"exact_match_difference_over_images{end}" for end in ("", "_low", "_high")]
    return _csv([*columns, "word"], [_arm_row(arm) for arm in result.arms])


def runs_csv(result: AblationResult) -> str:
    """A row per run."""
    rows = [
        {
            "number": number,
            "arm": run.arm,
            "seed": run.seed,
            "folder": f"runs/{run.key}",
            "state": run.state,
            "message": run.message,
            **(run.measures or {}),
        }
        for number, run in enumerate(result.runs)
    ]
    return _csv(["number", "arm", "seed", "folder", "state", "message", *MEASURES], rows)


def _arm_json(arm: ArmResult) -> dict[str, Any]:
    found = arm.comparison
    return {
        "changes": {key: _plain(value) for key, value in arm.changes.items()},
        "metrics": {name: _estimate_json(spread) for name, spread in arm.spreads.items()},
        "against_default": None
        if found is None
        else {
            "word": found.word,
            "over_seeds": {name: _estimate_json(one) for name, one in found.over_seeds.items()},
            "over_images": None if found.over_images is None else _estimate_json(found.over_images),
            "p_value": found.p_value,
            "p_holm": found.p_holm,
        },
    }


def _estimate_json(estimate: Estimate) -> dict[str, float | int | None]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
    }


def _arm_row(arm: ArmResult) -> dict[str, Any]:
    row: dict[str, Any] = {
        "arm": arm.name,
        "changes": "; ".join(f"{key} = {_plain(value)}" for key, value in arm.changes.items()),
        "seeds": max((spread.n for spread in arm.spreads.values()), default=0),
    }
    for name, spread in arm.spreads.items():
        row |= _ends(name, spread, ("_lowest", "_highest"))
    if arm.comparison is not None:
        for name, difference in arm.comparison.over_seeds.items():
            row |= _ends(f"{name}_difference", difference, ("_low", "_high"))
        if (over_images := arm.comparison.over_images) is not None:
            row |= _ends("exact_match_difference_over_images", over_images, ("_low", "_high"))
        row["word"] = arm.comparison.word
    return row


def _ends(name: str, estimate: Estimate, ends: tuple[str, str]) -> dict[str, float | None]:
    low, high = ends
    return {
        name: estimate.value,
        f"{name}{low}": estimate.low,
        f"{name}{high}": estimate.high,
    }


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _plain(value: object) -> object:
    """A value of a TOML file as JSON holds it."""
    return json.loads(json.dumps(value, default=str))
