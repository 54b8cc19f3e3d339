"""A run in Weights & Biases: files in ``RUN/wandb``, offline unless WANDB_MODE says otherwise.

``wandb sync RUN/wandb/offline-run-*`` uploads them when the user likes to.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.durable import replace_file
from latentvqa.regular_files import read_regular_text
from latentvqa.tracking.folders import WANDB, WANDB_STATE
from latentvqa.tracking.tracker import SAMPLE_COLUMNS, TrackedRun, sample_row

_PROJECT = "latentvqa"
_OFFLINE = "offline"
_START_SECONDS = 30.0  # for its service to answer


class WandbTracker:
    """Writes one W&B run; a resumed training goes on in it under the same id.

    Args:
        run: the run.

    Attributes:
        last_epoch: newest epoch that was told.
    """

    def __init__(self, run: TrackedRun) -> None:
        mode = os.environ.setdefault("WANDB_MODE", _OFFLINE)
        if mode == _OFFLINE:  # not even its own faults
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self._wandb = wandb
        self._state = run.folder / WANDB / WANDB_STATE
        identity, self.last_epoch = self._known()
        self._state.parent.mkdir(exist_ok=True)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=os.environ.get("WANDB_NAME", run.name),
            dir=str(run.folder.resolve()),
            id=identity or secrets.token_hex(4),
            resume=None if mode == _OFFLINE else "allow",
            config=dict(run.config),
            settings=wandb.Settings(
                console="off",
                silent=True,
                init_timeout=_START_SECONDS,
                disable_code=True,
                disable_git=True,
                x_disable_stats=True,
                x_disable_meta=True,
                x_save_requirements=False,
            ),
        )
        self._keep()

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        """Write all numbers of an epoch."""
        self._run.log(dict(measures), step=epoch, commit=True)
        self.last_epoch = epoch
        self._keep()

    def verdict(self, epoch: int, sentence: str) -> None:
        """Write the verdict into the summary."""
        self._run.summary["verdict/sentence"] = sentence

    def samples(self, epoch: int, samples: Sequence[SampleAnswer]) -> None:
        """Write the answers as a table; the numbers of the epoch are to follow."""
        table = self._wandb.Table(columns=list(SAMPLE_COLUMNS))
        for sample in samples:
            table.add_data(*sample_row(sample))
        self._run.log({"samples": table}, step=epoch)

    def evaluation(self, measures: Mapping[str, float], sentence: str) -> None:
        """Write scores and verdict into the summary."""
        self._run.summary.update({**measures, "verdict/sentence": sentence})

    def close(self) -> None:
        """End the W&B run; its service ends with the process."""
        self._run.finish()

    def _known(self) -> tuple[str, int]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(read_regular_text(self._state))
            return str(held["id"]), int(held["last_epoch"])
        return "", -1

    def _keep(self) -> None:
        held = {"id": self._run.id, "last_epoch": self.last_epoch}
        replace_file(self._state, json.dumps(held).encode())
