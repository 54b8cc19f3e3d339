"""Logs in the shapes of other tools are told what was written down before they were run."""

import json

import pytest
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.errors import HistoryError
from tests.corpus.foreign_logs import (
    EXPECTED,
    EXPECTED_PASTED,
    EXPECTED_SHARED,
    OWN,
    PASTED,
    SHARED,
    faults,
)

SCREEN = 24  # lines of the smallest terminal
NOT_JUDGED = [name for name, e in EXPECTED.items() if e.get("levels") == ["not judged"]]
WITHOUT_KL = [name for name in NOT_JUDGED if EXPECTED[name].get("kl") == []]


def shown(name, *options):
    """What the command line shows of a log."""
    return CliRunner().invoke(app, ["diagnose-kl", str(OWN / name), *options])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_log_in_another_shape_is_told_what_is_right(name):
    assert faults(OWN / name, EXPECTED[name]) == []


@pytest.mark.parametrize("name", EXPECTED_PASTED)
def test_a_log_as_people_paste_it_is_told_what_is_right(name):
    assert faults(PASTED / name, EXPECTED_PASTED[name]) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the small logs do not lie beside the checkout")
@pytest.mark.parametrize("name", EXPECTED_SHARED)
def test_a_log_that_lies_beside_the_checkout_is_told_what_is_right(name):
    assert faults(SHARED / name, EXPECTED_SHARED[name]) == []


@pytest.mark.parametrize(("folder", "expected"), [(OWN, EXPECTED), (PASTED, EXPECTED_PASTED)])
def test_every_log_has_an_expectation_with_a_reason(folder, expected):
    assert {path.name for path in folder.iterdir()} == set(expected)
    assert all(one["why"] for one in expected.values())


@pytest.mark.parametrize("name", NOT_JUDGED)
def test_a_log_that_is_not_judged_fails_nothing(name):
    done = shown(name, "--format", "json", "--fail-on", "warning")
    assert done.exit_code == 0
    verdict = json.loads(done.stdout)["verdict"]
    assert (verdict["level"], verdict["code"]) == ("not judged", "not_judged")


@pytest.mark.parametrize("name", WITHOUT_KL)
def test_a_log_without_a_kl_takes_one_screen_and_says_what_to_do(name):
    done = shown(name)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) <= SCREEN
    assert "Next: " in done.stdout
    assert "ok" not in done.stdout.splitlines()[0]


def test_a_log_that_explodes_within_its_epoch_fails_the_command():
    assert shown("program_one_epoch.log", "--fail-on", "critical").exit_code == 3


@pytest.mark.parametrize("output_format", ["table", "json", "markdown", "html"])
def test_what_is_not_judged_is_shown_in_every_format(output_format):
    done = shown("policy_dicts.txt", "--format", output_format)
    assert done.exit_code == 0
    assert "policy training" in done.stdout


def test_a_table_of_runs_is_an_error_with_the_reason():
    done = shown("trials.jsonl")
    assert isinstance(done.exception, HistoryError)
    assert done.exception.exit_code == 1


def test_a_kl_that_looks_like_one_is_judged_once_it_is_named():
    assert "--map kl_raw=objective/kl" not in shown("policy_dicts.txt").stdout
    named = shown("weighted_unsaid.csv", "--map", "kl_raw=loss", "--format", "json")
    assert json.loads(named.stdout)["verdict"]["level"] == "ok"
