"""The logs of the corpus, what was expected of each, and what the rules say to it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentvqa.core.diagnosis.diagnose import Diagnosis, diagnose
from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
from latentvqa.logs import log_options, read_log
from tests.corpus.made import build_all

FOLDER = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "expectations.toml").read_text())
CONTRADICTIONS = [set(pair) for pair in EXPECTED.pop("contradictions")]
MADE = build_all()


def missing_logs() -> list[str]:
    """Expectations whose log has not been trained yet."""
    return [
        name for name, e in EXPECTED.items() if e["kind"] != "made" and not _path(name).exists()
    ]


def diagnosis_of(name: str) -> Diagnosis:
    """What the rules say to a log, as the command line would have it."""
    expected = EXPECTED[name]
    if expected["kind"] == "made":
        header, records = MADE[name]
        return diagnose(header, records)
    options, overrides = log_options(overrides=expected.get("set", ()))
    log = read_log(_path(name), options)
    limits, _ = resolved_thresholds(log.header.thresholds, overrides)
    return diagnose(log.header, log.records, limits, notes=log.notes)


def faults(expected: Mapping[str, Any], diagnosis: Diagnosis) -> list[str]:
    """Where a diagnosis is not what was written down; empty where it is."""
    held = open_names(diagnosis)
    past = {finding.name for finding in diagnosis.findings if not finding.is_open}
    told = {"verdict": diagnosis.verdict.code, "level": diagnosis.verdict.level}
    return [
        *(f"the {key} is {told[key]}" for key in told if expected.get(key, told[key]) != told[key]),
        *(f"{name} does not hold" for name in expected.get("has", ()) if name not in held),
        *(f"{name} holds" for name in expected.get("lacks", ()) if name in held),
        *(f"{name} has never held" for name in expected.get("past", ()) if name not in past),
    ]


def open_names(diagnosis: Diagnosis) -> set[str]:
    """Names of the findings that hold at the last record and are more than ok."""
    return {finding.name for finding in diagnosis.open_findings if finding.level != "ok"}


def _path(name: str) -> Path:
    return FOLDER / "logs" / EXPECTED[name].get("file", f"{name}.jsonl")
