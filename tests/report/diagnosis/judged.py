"""Judged runs for the tests of what shows them."""

from dataclasses import replace
from pathlib import Path

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.history import History
from latentvqa.report.diagnosis.judged_run import JudgedRun
from tests.runs import HEADER

SICK = {"val": {"information_bound": 0.5, "answer_gain": 0.1}}


def judged(records, *, name="demo", header=HEADER, notes=(), what_if=None):
    header = replace(header, name=name)
    history = History(header, tuple(records), tuple(notes), Path("runs") / name / "metrics.jsonl")
    found = diagnose(header, records, notes=notes)
    return JudgedRun(history, found, what_if=what_if)
