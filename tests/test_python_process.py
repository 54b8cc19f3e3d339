"""Commands of this Python that import this package and nothing by chance."""

import subprocess

import pytest

from latentvqa.python_process import python_command, python_environment, refuse_copies
from tests.cli.conftest import cli, here

__all__ = ["cli", "here"]


def test_a_module_runs_from_any_folder_and_imports_nothing_from_there(tmp_path):
    for name in ("latentvqa.py", "random.py", "select.py", "typing.py"):
        (tmp_path / name).write_text('raise SystemExit("imported from the working folder")')
    done = subprocess.run(
        python_command("latentvqa", "docs", "train"),
        cwd=tmp_path,
        env=python_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# Train a model")


@pytest.mark.parametrize(
    "command", [["train"], ["train", "--resume", "run"], ["ablate", "kl-factor"]]
)
def test_copies_that_a_launcher_started_are_refused_in_one_sentence(
    cli, here, monkeypatch, command
):
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = cli(*command)
    assert done.code == 2
    assert done.err.startswith("error: WORLD_SIZE = 2: a launcher such as torchrun started 2")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("copies", ["1", "", "some"])
def test_one_process_under_a_launcher_is_no_copy(monkeypatch, copies):
    monkeypatch.setenv("WORLD_SIZE", copies)
    refuse_copies()
