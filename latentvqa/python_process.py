"""Processes of this Python: those that run a module of this package, and copies of one's own."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

import latentvqa
from latentvqa.errors import ConfigError


def python_command(module: str, *arguments: object) -> list[str]:
    """The command of a module; nothing is imported from the folder that the user works in."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def python_environment() -> dict[str, str]:
    """Ours, with the place of this package where it is a source tree and not installed."""
    root = str(Path(latentvqa.__file__).resolve().parents[1])
    if root in (*site.getsitepackages(), site.getusersitepackages()):
        return dict(os.environ)
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}


# how many processes a launcher started, by the variable that says it
_LAUNCHERS = {
    "WORLD_SIZE": "torchrun",
    "OMPI_COMM_WORLD_SIZE": "mpirun",
    "MV2_COMM_WORLD_SIZE": "mpirun",
    "PMI_SIZE": "mpiexec",
    "SLURM_STEP_NUM_TASKS": "srun",  # SLURM_NTASKS is that of the job, whose script runs once
}


def refuse_copies() -> None:
    """Refuse to train where a launcher started this process several times.

    Raises:
        ConfigError: if a variable of a launcher says so.
    """
    for name, launcher in _LAUNCHERS.items():
        copies = os.environ.get(name, "")
        if copies.isdecimal() and int(copies) > 1:
            raise ConfigError(
                f"{name} = {copies}: a launcher such as {launcher} started {copies} processes, and "
                "each would train the same model. Training takes one process and one device: start "
                "it without the launcher, or as one task; for several runs at a time see "
                "`latentvqa ablate --index`."
            )
