"""The runs below a folder, a line each; no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
from latentvqa.engine.runs.evaluations import evaluation_folder, read_evaluation
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.latent_use import latent_use_of_log
from latentvqa.errors import DataError, LatentVQAError
from latentvqa.history import read_history
from latentvqa.report.diagnosis.tables import verdict_name

_OTHER_IMAGE = ("latent_use", "arms", "image_shuffled", "exact_match", "value")
_DEEPEST = 4  # folders between the one that is named and a run


@dataclass(frozen=True)
class ListedRun:
    """A run in one line.

    Attributes:
        folder: of the run.
        epochs: that are done.
        exact_match: of the validation split, a share; None where it was not evaluated.
        other_image: the same with another image, where latent use was examined.
        latent: whether the latent is used, in the words of the examination; empty where
            there was none.
        verdict: level and name of the verdict; empty for an empty log.
    """

    folder: Path
    epochs: int
    exact_match: float | None
    other_image: float | None
    latent: str
    verdict: str


@dataclass(frozen=True)
class ListedRuns:
    """What was found.

    Attributes:
        runs: sorted by folder.
        notes: what could not be read.
    """

    runs: list[ListedRun]
    notes: list[str]


def listed_runs(folder: Path) -> ListedRuns:
    """List the runs in a folder and the folders below it.

    Raises:
        DataError: if there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds the runs")
    found = ListedRuns([], [])
    for run in _runs_below(folder):
        try:
            found.runs.append(_listed(run))
        except (LatentVQAError, OSError) as error:
            found.notes.append(str(error))
    if not found.runs and not found.notes:
        raise DataError(f"{folder}: no run in it; `latentvqa train --out DIR` makes one")
    return found


def _runs_below(folder: Path) -> Iterator[Path]:
    depth = len(folder.parts)
    for place, folders, _ in os.walk(folder):
        path = Path(place)
        if RunFolder(path).log.is_file():
            folders.clear()
            yield path
        elif len(path.parts) - depth >= _DEEPEST:
            folders.clear()
        folders.sort()


def _listed(run: Path) -> ListedRun:
    history = read_history(run)
    thresholds, _ = resolved_thresholds(history.header.thresholds)
    test, _ = latent_use_of_log(history)
    verdict = ""
    if history.records:
        verdict = verdict_name(
            diagnose(history.header, history.records, thresholds, history.notes, test)
        )
    evaluation = _evaluation(run)
    return ListedRun(
        folder=run,
        epochs=len(history.records),
        exact_match=_value(evaluation, "metrics", "exact_match", "value"),
        other_image=_value(evaluation, *_OTHER_IMAGE),
        latent="" if test is None else test.word,
        verdict=verdict,
    )


def _evaluation(run: Path) -> Any:
    try:
        return read_evaluation(evaluation_folder(run))
    except FileNotFoundError:
        return None


def _value(tables: Any, *keys: str) -> float | None:
    for key in keys:
        tables = tables.get(key) if isinstance(tables, dict) else None
    return float(tables) if isinstance(tables, int | float) else None
