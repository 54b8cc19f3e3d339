"""A result that cannot be shown costs one sentence, and never the work."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.small_runs import ROOT, TINY, write_images

ENV = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def closed_pipe():
    """A pipe without a reader."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb")


def run(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=None):
    command = [sys.executable, "-m", "latentvqa", *map(str, arguments)]
    done = subprocess.run(
        command, stdout=stdout, stderr=stderr, env=ENV, cwd=cwd, text=True, check=False
    )
    assert "Traceback" not in (done.stderr or "") and "Exception" not in (done.stderr or "")
    return done


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(finished.run, folder / "run")
    write_images(folder / "images", 2)
    return folder


COMMANDS = [
    ("diagnose-kl", "run"),
    ("predict", "run", "images", "--question", "what?"),
    ("report", "run", "--samples", "0"),
    ("docs",),
    ("--version",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_stdout_is_one_sentence_and_exit_1(place, command):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = run(*command, stdout=full, cwd=place)
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told == (
        "error: stdout cannot be written, and not all is shown: No space left on device"
    )


@pytest.mark.parametrize("command", COMMANDS[:2], ids=" ".join)
def test_a_reader_that_has_left_is_no_fault_to_tell(place, command):
    with closed_pipe() as pipe:
        done = run(*command, stdout=pipe, cwd=place)
    assert done.returncode == 1
    assert "error" not in done.stderr


def test_what_cannot_be_shown_is_saved_all_the_same(place, tmp_path):
    copy = shutil.copytree(place / "run", tmp_path / "run")
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        assert run("evaluate", copy, stdout=full).returncode == 1
    found = json.loads((copy / "evaluations" / "validation" / "evaluation.json").read_text())
    assert found["metrics"]["exact_match"]["n"] > 0


def test_a_training_goes_on_where_nothing_can_be_shown(tmp_path):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = run("train", *TINY, "--out", tmp_path / "run", stdout=full, stderr=full)
    assert done.returncode == 1
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"last", "report.html", "evaluations"} <= names
