"""A run in TensorBoard: event files in ``RUN/tensorboard``."""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.tracking.folders import TENSORBOARD
from latentvqa.tracking.measures import VERDICT
from latentvqa.tracking.tracker import SAMPLE_COLUMNS, TrackedRun, sample_row


class TensorBoardTracker:
    """Writes event files; each session of a resumed run adds one.

    An epoch is whole when its verdict is there, which is written last: what a kill left
    of a later one is marked as taken back, and the scores of an earlier end are, too.

    Args:
        run: the run.

    Attributes:
        last_epoch: newest epoch that the files hold.
    """

    def __init__(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        folder = run.folder / TENSORBOARD
        self.last_epoch = last_epoch_in(folder) if folder.is_dir() else -1
        self._writer = SummaryWriter(str(folder), purge_step=self.last_epoch + 1)
        if self.last_epoch < 0:
            self._text("config", f"```toml\n{html.escape(run.toml, quote=False)}\n```", 0)
        self._writer.flush()

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        """Write all numbers of an epoch, its verdict last."""
        rest = {name: value for name, value in measures.items() if name != VERDICT}
        last = {VERDICT: measures[VERDICT]} if VERDICT in measures else {}
        for name, value in {**rest, **last}.items():
            self._writer.add_scalar(name, value, epoch, new_style=False)
        self._writer.flush()
        self.last_epoch = epoch

    def verdict(self, epoch: int, sentence: str) -> None:
        """Write the verdict as text."""
        self._text("verdict", html.escape(sentence), epoch)

    def samples(self, epoch: int, samples: Sequence[SampleAnswer]) -> None:
        """Write the answers as a table."""
        head = [" | ".join(SAMPLE_COLUMNS), " | ".join("---" for _ in SAMPLE_COLUMNS)]
        rows = [" | ".join(map(_cell, sample_row(sample))) for sample in samples]
        self._text("samples", "\n".join(f"| {line} |" for line in [*head, *rows]), epoch)

    def evaluation(self, measures: Mapping[str, float], sentence: str) -> None:
        """Write the scores as a table and the verdict, one step after the last epoch.

        They are no curves: who reads curves would take them for another epoch.
        """
        step = self.last_epoch + 1
        rows = [f"| {_cell(name)} | {value:.8g} |" for name, value in measures.items()]
        self._text("evaluation", "\n".join(["| measure | value |", "| --- | --- |", *rows]), step)
        self._text("verdict", html.escape(sentence), step)

    def close(self) -> None:
        """Write what is left and end the writer's thread."""
        self._writer.close()

    def _text(self, tag: str, text: str, step: int) -> None:
        self._writer.add_text(tag, text, step)
        self._writer.flush()


def last_epoch_in(folder: Path) -> int:
    """The newest epoch that the event files of a folder hold in whole; -1 for none."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    known = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    told = logging.getLogger("tensorboard")
    level = told.level
    told.setLevel(logging.ERROR)  # it remarks on what we took back
    try:
        known.Reload()
    finally:
        told.setLevel(level)
    if VERDICT not in known.Tags()["scalars"]:
        return -1
    return max((event.step for event in known.Scalars(VERDICT)), default=-1)


def _cell(value: object) -> str:
    """A value that neither ends its cell nor is read as markup."""
    if isinstance(value, float):
        return f"{value:.3f}"
    text = html.escape(" ".join(str(value).split()), quote=False)
    return "".join(f"\\{letter}" if letter in "\\|`*_[]" else letter for letter in text)
