"""Logs in the shapes of other tools, what is right for each, and what was said of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentvqa.core.diagnosis.diagnose import Diagnosis, diagnose
from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.core.rules.rule import kl_split
from latentvqa.errors import HistoryError
from latentvqa.history import History
from latentvqa.logs import read_log

FOLDER = Path(__file__).parent
OWN = FOLDER / "foreign"
PASTED = FOLDER / "pasted"
SHARED = FOLDER.parents[2] / "shared" / "cases" / "logs"  # lies beside some checkouts
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "foreign.toml").read_text())
EXPECTED_PASTED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "pasted.toml").read_text())
EXPECTED_SHARED: dict[str, dict[str, Any]] = tomllib.loads(
    (FOLDER / "foreign_shared.toml").read_text()
)
CLOSE = 0.02  # share by which a value as judged may differ from the one written down


def judged(path: Path) -> tuple[History, Diagnosis]:
    """A log as the command line would judge it."""
    log = read_log(path)
    return log, diagnose(log.header, log.records, notes=log.notes)


def faults(path: Path, expected: Mapping[str, Any]) -> list[str]:
    """Where a log is not told what is right for it; empty where it is."""
    try:
        log, diagnosis = judged(path)
    except HistoryError as error:
        part = expected.get("refused")
        return [] if part is not None and part in str(error) else [f"refused: {error}"]
    if "refused" in expected:
        return ["it is read, not refused"]
    verdict, text = diagnosis.verdict, said(diagnosis)
    found = []
    if verdict.level not in expected["levels"]:
        found.append(f"the level is {verdict.level} ({verdict.code}): {verdict.sentence}")
    if verdict.code != expected.get("code", verdict.code):
        found.append(f"the code is {verdict.code}")
    if len(log.records) != expected.get("epochs", len(log.records)):
        found.append(f"{len(log.records)} epochs are read")
    found += [f"it does not say {part!r}" for part in expected.get("says", ()) if part not in text]
    found += [f"it says {part!r}" for part in expected.get("never", ()) if part in text]
    for name, values in _series(log.records).items():
        if name in expected and not _are_close(values, expected[name]):
            found.append(f"{name} is {values[:1]} to {values[-1:]}")
    weight = log.records[-1].effective_kl_weight if log.records else None
    if "weight" in expected and not _are_close([weight], [expected["weight"]]):
        found.append(f"the weight is {weight}")
    return found


def said(diagnosis: Diagnosis) -> str:
    """Everything that a diagnosis says, in one text."""
    sentences = [finding.sentence for finding in diagnosis.findings]
    return "\n".join(
        [diagnosis.verdict.sentence, diagnosis.next_step.sentence, *sentences, *diagnosis.notes]
    )


def _series(records: Sequence[EpochRecord]) -> dict[str, list[float | None]]:
    series = {
        "kl": [kl_split(record).kl_raw for record in records],
        "val_kl": [record.val.kl_raw for record in records],
        "recon": [_reconstruction(record.train) for record in records],
    }
    return {
        name: [value for value in values if value is not None] for name, values in series.items()
    }


def _reconstruction(split: SplitMetrics) -> float | None:
    return split.answer_nll if split.answer_loss is None else split.answer_loss


def _are_close(values: Sequence[float | None], expected: Sequence[float]) -> bool:
    """Whether first and last value are the expected ones; no value where none is expected."""
    if not expected or not values:
        return not expected and not values
    ends = [(values[0], expected[0]), (values[-1], expected[-1])]
    return all(
        value is not None and abs(value - right) <= CLOSE * abs(right) for value, right in ends
    )
