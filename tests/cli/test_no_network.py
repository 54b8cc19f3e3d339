"""No command reaches for a network unless its configuration names a hub."""

import pytest

from tests.no_network import commands_watched, run_watched
from tests.small_runs import BRIEF, TINY, set_options

PLAN = """
description = "Two arms."
preset = "quickstart"
default = "one"
[arms.one]
[arms.other]
latent.temperature = 0.4
"""


def succeeded(found):
    assert found.attempts == ""
    assert found.codes and all(code == 0 for _, code in found.codes), found.text
    return [name for name, _ in found.codes]


def test_an_attempt_is_seen_in_the_process_and_in_its_children(tmp_path):
    program = "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert "socket.getaddrinfo" in run_watched(tmp_path, program)[0]
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-P', '-c', {program!r}])"
    assert "socket.getaddrinfo" in run_watched(tmp_path, child)[0]


@pytest.mark.heavy
def test_training_and_all_that_follows_it_reach_for_no_network(tmp_path):
    data = ["run/data/questions.csv", "--images", "run/data/images"]
    found = commands_watched(
        tmp_path,
        ["train", *TINY, "--out", "run"],
        ["evaluate", "run", "--latent-use"],
        ["predict", "run", "run/data/images", "--question", "what is it?"],
        ["report", "run"],
        ["diagnose-kl", "run"],
        ["data", "audit", *data],
    )
    assert succeeded(found) == ["train", "evaluate", "predict", "report", "diagnose-kl", "data"]


@pytest.mark.heavy
def test_an_ablation_and_its_children_reach_for_no_network(tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)
    options = ["--seeds", 1, *set_options(*BRIEF), "--out", "pair"]
    found = commands_watched(tmp_path, ["ablate", "plan.toml", *options])
    assert succeeded(found) == ["ablate"]
