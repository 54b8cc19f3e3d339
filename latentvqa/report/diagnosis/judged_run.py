"""A run with everything that was found out about it: what every output starts from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.what_if import WhatIf
from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.history import History


@dataclass(frozen=True)
class JudgedRun:
    """One run and its diagnosis.

    Attributes:
        history: the log.
        diagnosis: what the rules say about it.
        thresholds: the limits that they compared with.
        what_if: the cost of another allowance, if asked for.
    """

    history: History
    diagnosis: Diagnosis
    thresholds: KLHealthThresholds = field(default_factory=KLHealthThresholds)
    what_if: WhatIf | None = None

    @property
    def name(self) -> str:
        """Name of the run, else of its folder, else its log."""
        history = self.history
        return history.header.name or history.path.parent.name or str(history.path)

    @property
    def last(self) -> EpochRecord | None:
        """The last epoch, if there is one."""
        return self.history.records[-1] if self.history.records else None


def distinct_names(runs: Sequence[JudgedRun]) -> list[str]:
    """One name per run; runs that share theirs are named by their folder."""
    times = Counter(run.name for run in runs)
    return [run.name if times[run.name] == 1 else str(run.history.path.parent) for run in runs]
