"""A small run exported to ONNX by the command line, once for all tests of a session."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.readme_parts import MANUAL
from tests.small_runs import ROOT, finished

__all__ = ["exported", "finished"]


def program_of_the_page() -> str:
    """The program that asks an export, needing neither this package nor PyTorch."""
    text = (MANUAL / "export.md").read_text(encoding="utf-8")
    program = text.split("```python\n")[1]
    return program.partition("\n```")[0]


@dataclass(frozen=True)
class ExportedRun:
    run: Path
    folder: Path
    done: subprocess.CompletedProcess


@cache
def _exported_once(run: Path, folder: Path) -> ExportedRun:
    done = subprocess.run(
        [sys.executable, "-m", "latentvqa", "export", run, "--out", folder],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ExportedRun(run, folder, done)


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory):
    """The export of the small run; nobody may change it."""
    return _exported_once(finished.run, tmp_path_factory.getbasetemp() / "exported" / "onnx")
