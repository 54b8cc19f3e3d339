"""The tools by their names: whether they are installed, and one run opened in each."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from latentvqa.errors import ConfigError
from latentvqa.tracking.tracker import TrackedRun, Tracker

KEY = "run.log_to"


def require_installed(names: Sequence[str]) -> None:
    """Refuse tools that are not installed, before anything is trained.

    Raises:
        ConfigError: naming each and the extra that installs it.
    """
    faults = []
    for name in dict.fromkeys(names):
        if find_spec(name) is None:
            faults.append(
                f'{KEY} names "{name}", and the package {name} is not installed. '
                f'Install it with: pip install "latentvqa[{name}]"'
            )
    if faults:
        raise ConfigError("\n".join(faults))


def open_tracker(name: str, run: TrackedRun) -> Tracker:
    """Begin, or go on with, a run in a tool.

    Args:
        name: ``tensorboard``, ``wandb`` or ``trackio``.
        run: the run.

    Raises:
        Exception: whatever the tool raises.
    """
    if name == "tensorboard":
        from latentvqa.tracking.tensorboard import TensorBoardTracker

        return TensorBoardTracker(run)
    if name == "wandb":
        from latentvqa.tracking.wandb import WandbTracker

        return WandbTracker(run)
    if name == "trackio":
        from latentvqa.tracking.trackio import TrackioTracker

        return TrackioTracker(run)
    raise ValueError(f"no tool has the name {name}")
