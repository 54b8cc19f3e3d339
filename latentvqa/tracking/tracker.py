"""What every tool is told, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from latentvqa.core.results.samples import SampleAnswer

SAMPLE_COLUMNS = ("question", "answer", "confidence", "reference", "is_right", "image", "row")


@dataclass(frozen=True)
class TrackedRun:
    """The run that a tool is told of.

    Attributes:
        folder: the run folder; files of the tool lie below it.
        config: every value, by section and key.
        toml: the same as text.
    """

    folder: Path
    config: Mapping[str, Any]
    toml: str

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.folder.resolve().name


class Tracker(Protocol):
    """One run in one tool, from its opening to its end.

    Steps are epochs, 0-based. Any method may raise what the tool raises.

    Attributes:
        last_epoch: newest epoch that the tool holds in whole; -1 for none.
    """

    last_epoch: int

    def epoch(self, epoch: int, measures: Mapping[str, float]) -> None:
        """Write all numbers of an epoch, at once."""

    def verdict(self, epoch: int, sentence: str) -> None:
        """Write the verdict after an epoch in words."""

    def samples(self, epoch: int, samples: Sequence[SampleAnswer]) -> None:
        """Write some answers after an epoch, before its numbers."""

    def evaluation(self, measures: Mapping[str, float], sentence: str) -> None:
        """Write scores of the best checkpoint, and the verdict on the whole run."""

    def close(self) -> None:
        """End: everything is on the disk then, and no thread or process is left at work."""


def sample_row(sample: SampleAnswer) -> list[Any]:
    """The cells of ``SAMPLE_COLUMNS``."""
    return [getattr(sample, name) for name in SAMPLE_COLUMNS]
