"""A run in Trackio: its data base in ``RUN/trackio``, unless TRACKIO_DIR names a folder.

Trackio has one folder a process. Where it was imported before, it keeps its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.tracking.folders import TRACKIO
from latentvqa.tracking.measures import VERDICT
from latentvqa.tracking.tracker import SAMPLE_COLUMNS, TrackedRun, sample_row

PROJECT = "latentvqa"


class TrackioTracker:
    """Writes one run of the project ``latentvqa``.

    Args:
        run: the run.

    Attributes:
        last_epoch: newest epoch that the data base holds.
    """

    def __init__(self, run: TrackedRun) -> None:
        if "trackio" not in sys.modules:
            os.environ.setdefault("TRACKIO_DIR", str(run.folder.resolve() / TRACKIO))
        import trackio

        self._trackio = trackio
        with _quiet(), _without_hub():
            self._run = trackio.init(
                project=os.environ.get("TRACKIO_PROJECT", PROJECT),
                name=run.name,
                config={
                    f"{section}.{key}": value
                    for section, values in run.config.items()
                    for key, value in values.items()
                },
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        self.last_epoch = max((row["step"] for row in self._held() if VERDICT in row), default=-1)

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        """Write all numbers of an epoch."""
        self._run.log(dict(measures), step=epoch)
        self.last_epoch = epoch

    def verdict(self, epoch: int, sentence: str) -> None:
        """Nothing: the level is a curve, and the tool has no place for words."""

    def samples(self, epoch: int, samples: Sequence[SampleAnswer]) -> None:
        """Write the answers as a table."""
        rows = [sample_row(sample) for sample in samples]
        table = self._trackio.Table(columns=list(SAMPLE_COLUMNS), data=rows)
        self._run.log({"samples": table}, step=epoch)

    def evaluation(self, measures: Mapping[str, float], sentence: str) -> None:
        """Write scores and verdict one step after the last epoch."""
        told = {**measures, "verdict": self._trackio.Markdown(sentence)}
        if not any(measures.items() <= row.items() for row in self._held()):
            self._run.log(told, step=self.last_epoch + 1)

    def close(self) -> None:
        """Write what is left.

        Raises:
            OSError: if the data base lacks what it was told.
        """
        with _quiet():
            self._trackio.finish()  # type: ignore[no-untyped-call]
        if self._is_local and self.last_epoch >= 0:
            held = max((row["step"] for row in self._held()), default=-1)
            if held < self.last_epoch:
                raise OSError(f"holds epochs up to {held} of {self.last_epoch}")

    @property
    def _is_local(self) -> bool:
        remote = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
        return not any(os.environ.get(name) for name in remote)

    def _held(self) -> list[dict[str, Any]]:
        from trackio.sqlite_storage import SQLiteStorage

        rows: list[dict[str, Any]] = SQLiteStorage.get_logs(
            self._run.project, self._run.name, run_id=self._run.id
        )
        return rows


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep its greetings from stdout, where results go."""
    with redirect_stdout(StringIO()):
        yield


@contextmanager
def _without_hub() -> Iterator[None]:
    """Keep it from asking the hub for the name of its user, unless the run goes there."""
    import huggingface_hub.constants as hub

    if any(os.environ.get(name) for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")):
        yield
        return
    before, hub.HF_HUB_OFFLINE = hub.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        hub.HF_HUB_OFFLINE = before
