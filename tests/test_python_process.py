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
@pytest.mark.parametrize(
    ("name", "launcher"),
    [
        ("WORLD_SIZE", "torchrun"),
        ("OMPI_COMM_WORLD_SIZE", "mpirun"),
        ("MV2_COMM_WORLD_SIZE", "mpirun"),
        ("PMI_SIZE", "mpiexec"),
        ("SLURM_STEP_NUM_TASKS", "srun"),
    ],
)
def test_copies_that_a_launcher_started_are_refused_in_one_sentence(
    cli, here, monkeypatch, command, name, launcher
):
    monkeypatch.setenv(name, "2")
    done = cli(*command)
    assert done.code == 2
    assert done.err.startswith(f"error: {name} = 2: a launcher such as {launcher} started 2")
    assert list(here.iterdir()) == []


# what a batch script of four tasks sees, a job of one, and one task that srun starts in it
BATCH = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_NPROCS": "4", "SLURM_PROCID": "0"}
TASK = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1"}


@pytest.mark.parametrize(
    "variables",
    [
        {"WORLD_SIZE": "1"},
        {"WORLD_SIZE": ""},
        {"WORLD_SIZE": "some"},
        BATCH,
        {**BATCH, "SLURM_NTASKS": "1", "SLURM_NPROCS": "1"},
        {**BATCH, **TASK},
        {"OMPI_COMM_WORLD_SIZE": "1", "PMI_SIZE": "1"},
    ],
)
def test_one_process_is_no_copy_whatever_its_job_could_start(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    refuse_copies()
