"""A diagnosis as one strict JSON object for other programs.

Shares are fractions, losses nats, absent values null; NaN and infinities are the
strings of the log.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from latentvqa.core.logged_values import to_json
from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import Finding, kl_split
from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.text import json_text

SCHEMA = 1
NORMAL_95 = 1.96  # standard errors of a 95 % interval


def diagnosis_object(run: JudgedRun) -> dict[str, Any]:
    """The diagnosis of one run, ready for :func:`json.dumps`."""
    history, diagnosis, what_if = run.history, run.diagnosis, run.what_if
    header, records, verdict = history.header, history.records, diagnosis.verdict
    held: dict[str, Any] = {
        "schema": SCHEMA,
        "run": {
            "name": header.name,
            "log": str(history.path),
            "epochs": len(records),
            "last_epoch": records[-1].epoch if records else None,
            "stage": records[-1].stage if records else None,
            "kl": asdict(header.kl),
        },
        "verdict": {"level": verdict.level, "code": verdict.code, "sentence": verdict.sentence},
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "next_step": next_step_text(diagnosis.next_step),
        "disagreement": diagnosis.disagreement,
        "account": [asdict(line) for line in diagnosis.account],
        "not_judged": diagnosis.not_judged,
        "notes": diagnosis.notes,
        "metrics": metrics_of(records[-1]) if records else {},
    }
    if what_if is not None:
        held["what_if"] = asdict(what_if)
    whole: dict[str, Any] = to_json(held)
    return whole


def diagnosis_json(objects: list[dict[str, Any]]) -> str:
    """One object as it is; several under ``runs``."""
    whole = objects[0] if len(objects) == 1 else {"schema": SCHEMA, "runs": objects}
    return json_text(whole, indent=2)


def metrics_of(record: EpochRecord) -> dict[str, dict[str, float | int | None]]:
    """The last epoch's measures, with intervals where the log has an error."""
    train, val, kl = record.train, record.val, kl_split(record)
    error = val.answer_nll_error
    return {
        "answer_loss": _measure(val.answer_loss, val.rows),
        "train_answer_loss": _measure(train.answer_loss, train.rows),
        "overfitting_ratio": _measure(record.overfitting_ratio, val.rows),
        "exact_match": _measure(val.exact_match, val.rows),
        "kl_raw": _measure(kl.kl_raw, kl.rows),
        "kl_after": _measure(kl.kl_after, kl.rows),
        "penalty_reduction": _measure(kl.penalty_reduction, kl.rows),
        "kl_share": _measure(kl.kl_share, kl.rows),
        "rate": _measure(val.rate, val.rows),
        "beta": _measure(record.beta, None),
        "effective_kl_weight": _measure(record.effective_kl_weight, None),
        "information_bound": _measure(val.information_bound, val.rows),
        "answer_entropy": _measure(val.answer_entropy, val.rows),
        "answer_nll": _measure(val.answer_nll, val.rows, error),
        "answer_gain": _measure(val.answer_gain, val.rows, error),
        "active_units": _measure(val.active_units, val.rows),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    """A finding with its advice as text and, for programs, as a change."""
    change = finding.advice
    text = None if change is None else advice_text(change)
    return {
        **asdict(finding),
        "advice": text,
        "change": None if change is None else asdict(change),
    }


def _measure(
    value: float | int | None, rows: int | None, error: float | None = None
) -> dict[str, float | int | None]:
    if value is None or error is None:
        return {"value": value, "low": None, "high": None, "n": rows}
    spread = NORMAL_95 * error
    return {"value": value, "low": value - spread, "high": value + spread, "n": rows}
