"""Every log of the corpus is told what was written down for it, and nothing against it."""

import itertools

import pytest

from latentvqa.core.rules.catalogue import RULES
from tests.corpus.confusion import corpus_summary
from tests.corpus.judging import (
    CONTRADICTIONS,
    EXPECTED,
    MADE,
    diagnosis_of,
    faults,
    missing_logs,
    open_names,
)
from tests.readme_parts import readme_part

NAMES = list(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_the_log_is_told_what_was_expected(name):
    assert faults(EXPECTED[name], diagnosis_of(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_two_findings_contradict_each_other(name):
    held = open_names(diagnosis_of(name))
    assert [pair for pair in CONTRADICTIONS if pair <= held] == []


def test_the_corpus_is_large_and_really_trained():
    kinds = [expected["kind"] for expected in EXPECTED.values()]
    assert len(kinds) >= 40
    assert kinds.count("trained") >= 15


def test_every_made_log_is_expected():
    assert set(MADE) == {name for name, e in EXPECTED.items() if e["kind"] == "made"}


def test_contradictions_name_findings_that_exist():
    names = {rule.name for rule in RULES}
    assert set(itertools.chain(*CONTRADICTIONS)) <= names


@pytest.mark.skipif(
    bool(missing_logs()), reason=f"logs not trained yet: {', '.join(missing_logs())}"
)
def test_the_results_page_shows_the_verdicts_of_the_corpus():
    assert readme_part("confusion") == corpus_summary(), "run: python -m tests.corpus.confusion"
