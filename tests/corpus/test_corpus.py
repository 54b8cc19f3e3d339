"""Every log of the corpus is told what was written down for it, and nothing against it."""

import itertools
import tomllib
from pathlib import Path

import pytest

from latentvqa.core.diagnosis import diagnose
from latentvqa.core.threshold_overrides import resolved_thresholds
from latentvqa.logs import log_options, read_log
from tests.corpus.made import build_all

FOLDER = Path(__file__).parent
EXPECTED = tomllib.loads((FOLDER / "expectations.toml").read_text())
CONTRADICTIONS = [set(pair) for pair in EXPECTED.pop("contradictions")]
MADE = build_all()


def diagnosis_of(name):
    expected = EXPECTED[name]
    if expected["kind"] == "made":
        header, records = MADE[name]
        return diagnose(header, records)
    options, overrides = log_options(overrides=expected.get("set", ()))
    log = read_log(FOLDER / "logs" / expected.get("file", f"{name}.jsonl"), options)
    limits, _ = resolved_thresholds(log.header.thresholds, overrides)
    return diagnose(log.header, log.records, limits, notes=log.notes)


NAMES = list(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_the_log_is_told_what_was_expected(name):
    expected, diagnosis = EXPECTED[name], diagnosis_of(name)
    held = {finding.name for finding in diagnosis.open_findings if finding.level != "ok"}
    past = {finding.name for finding in diagnosis.findings if not finding.is_open}
    assert diagnosis.verdict.code == expected.get("verdict", diagnosis.verdict.code)
    assert diagnosis.verdict.level == expected.get("level", diagnosis.verdict.level)
    assert set(expected.get("has", ())) <= held
    assert not set(expected.get("lacks", ())) & held
    assert set(expected.get("past", ())) <= past


@pytest.mark.parametrize("name", NAMES)
def test_no_two_findings_contradict_each_other(name):
    held = {finding.name for finding in diagnosis_of(name).open_findings if finding.level != "ok"}
    assert [pair for pair in CONTRADICTIONS if pair <= held] == []


def test_the_corpus_is_large_and_really_trained():
    kinds = [expected["kind"] for expected in EXPECTED.values()]
    assert len(kinds) >= 40
    assert kinds.count("trained") >= 15


def test_every_made_log_is_expected():
    assert set(MADE) == {name for name, e in EXPECTED.items() if e["kind"] == "made"}


def test_contradictions_name_findings_that_exist():
    from latentvqa.core.diagnosis import RULES

    names = {rule.name for rule in RULES}
    assert set(itertools.chain(*CONTRADICTIONS)) <= names
