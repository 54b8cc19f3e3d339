"""Memory that runs out, really, in Python, NumPy, PyTorch and a whole command."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from latentvqa.errors import memory_fault
from tests.small_runs import ROOT

TOO_MUCH = 1 << 60  # bytes, more than any address space has


def fault_of(work):
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        work()
    return memory_fault(caught.value)


@pytest.mark.parametrize(
    "work",
    [
        lambda: bytearray(TOO_MUCH),
        lambda: np.ones(TOO_MUCH, dtype=np.uint8),
        lambda: torch.ones(TOO_MUCH, dtype=torch.uint8),
    ],
    ids=["Python", "NumPy", "PyTorch"],
)
def test_memory_that_runs_out_is_one_sentence_that_says_what_to_lower(work):
    told = fault_of(work)
    assert told.startswith("memory has run out") and "loader.batch_size" in told
    assert "\n" not in told


def test_the_memory_of_an_accelerator_is_no_other():
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nSee more")
    assert "(CUDA out of memory. Tried to allocate 2 GiB.)" in memory_fault(error)


def test_any_other_error_is_none_of_these():
    assert fault_of(lambda: torch.ones(2) @ torch.ones(3)) == ""
    assert memory_fault(RecursionError("maximum recursion depth exceeded")) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process may address")
def test_a_command_whose_memory_runs_out_ends_with_the_sentence(tmp_path):
    table = tmp_path / "questions.json"
    with table.open("wb") as file:
        file.truncate(8 << 30)  # of zeros, which take no place on the disk
    command = ["data", "convert", "easy-vqa", "--questions", table, "--out", tmp_path / "t.csv"]
    done = subprocess.run(
        [sys.executable, "-m", "latentvqa", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: memory has run out")
    assert done.stderr.count("\n") == 1
