"""An ablation as plain values: JSON, and CSV of its arms and of its runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from latentvqa.core.ablation import (
    COMPARED,
    MEASURES,
    AblationResult,
    ArmResult,
    RunState,
    Word,
)
from latentvqa.core.estimates import Estimate
from latentvqa.regular_files import read_regular_text

SCHEMA = 1


@dataclass(frozen=True)
class _AgainstDefault:
    """How an arm compares with the default, as the file holds it."""

    word: Word
    over_seeds: Mapping[str, Estimate]
    over_images: Estimate | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class _Arm:
    """An arm as the file holds it; its name is the key."""

    changes: Mapping[str, object]
    metrics: Mapping[str, Estimate]
    against_default: _AgainstDefault | None


@dataclass(frozen=True)
class _Run:
    """A run as the file holds it.

    Attributes:
        number: its place in the plan, from 0.
        folder: below that of the ablation.
    """

    number: int
    arm: str
    seed: int
    folder: str
    state: RunState
    message: str
    metrics: Mapping[str, float] | None


@dataclass(frozen=True)
class _File:
    """The whole file, in the order of its keys."""

    schema: int
    name: str
    description: str
    default: str
    seeds: Sequence[int]
    arms: Mapping[str, _Arm]
    runs: Sequence[_Run]
    notes: Sequence[str]
    smallest_detectable_difference: float | None


def result_json(result: AblationResult) -> dict[str, Any]:
    """One object with a schema version; losses in nats, shares as fractions."""
    file = _File(
        schema=SCHEMA,
        name=result.name,
        description=result.description,
        default=result.default,
        seeds=result.seeds,
        arms={arm.name: _arm(arm) for arm in result.arms},
        runs=_runs(result),
        notes=result.notes,
        smallest_detectable_difference=result.smallest_detectable,
    )
    found: dict[str, Any] = TypeAdapter(_File).dump_python(file, mode="json")
    return found


def arms_csv(result: AblationResult) -> str:
    """A row per arm: mean, lowest and highest of every measure, and the comparison."""
    columns = ["arm", "changes", "seeds"]
    columns += [f"{name}{end}" for name in MEASURES for end in ("", "_lowest", "_highest")]
    columns += [f"{name}_difference{end}" for name in COMPARED for end in ("", "_low", "_high")]
    columns += [f"exact_match_difference_over_images{end}" for end in ("", "_low", "_high")]
    return _csv([*columns, "word"], [_arm_row(arm) for arm in result.arms])


def runs_csv(result: AblationResult) -> str:
    """A row per run."""
    columns = ["number", "arm", "seed", "folder", "state", "message"]
    rows = [
        {**{name: getattr(run, name) for name in columns}, **(run.metrics or {})}
        for run in _runs(result)
    ]
    return _csv([*columns, *MEASURES], rows)


def _runs(result: AblationResult) -> list[_Run]:
    return [
        _Run(number, run.arm, run.seed, f"runs/{run.key}", run.state, run.message, run.measures)
        for number, run in enumerate(result.runs)
    ]


def is_result(path: Path) -> bool:
    """Whether a file holds what :func:`result_json` gives."""
    try:
        known = json.loads(read_regular_text(path))
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and known.keys() >= {"schema", "name", "arms", "runs", "seeds"}


def _arm(arm: ArmResult) -> _Arm:
    found = arm.comparison
    against = None
    if found is not None:
        against = _AgainstDefault(
            found.word, found.over_seeds, found.over_images, found.p_value, found.p_holm
        )
    changes = {key: _plain(value) for key, value in arm.changes.items()}
    return _Arm(changes, arm.spreads, against)


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
