"""Ctrl-C and SIGTERM as a flag that long loops poll, so that nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.engine.runtime.observer import Observer, TrainingPlan

if TYPE_CHECKING:
    from latentvqa.engine.evaluation.evaluate import Evaluation

# exit codes of a shell: 128 plus the signal's number
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupted(Exception):  # noqa: N818 - a request, not an error
    """A signal asked the run to stop; what could be saved was saved.

    Args:
        exit_code: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"interrupted (exit code {exit_code})")
        self.exit_code = exit_code


class StopFlag:
    """Remembers the first signal; a second Ctrl-C quits at once.

    Use as a context manager: the old handlers come back at its end.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._previous: dict[int, object] = {}
        self._process = os.getpid()

    def __enter__(self) -> StopFlag:
        for number in EXIT_CODES:
            try:
                self._previous[number] = signal.signal(number, self._remember)
            except ValueError:  # not the main thread: the host decides about signals
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def poll(self) -> None:
        """Raise :class:`Interrupted` if a signal has come."""
        if self.exit_code is not None:
            raise Interrupted(self.exit_code)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a loader worker that inherited the handler
            return
        if self.exit_code is not None and number == signal.SIGINT:
            os._exit(EXIT_CODES[signal.SIGINT])
        self.exit_code = EXIT_CODES[signal.Signals(number)]


class StoppableObserver(Observer):
    """Passes everything on, and lets every report of progress be a place to stop.

    Args:
        inner: receives what is reported.
        stop: what is polled.
    """

    def __init__(self, inner: Observer, stop: StopFlag) -> None:
        self._inner, self._stop = inner, stop

    def notice(self, text: str) -> None:
        """Pass a notice on."""
        self._inner.notice(text)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Pass progress on, then poll."""
        self._inner.progress(phase, done, total)
        self._stop.poll()

    def planned(self, plan: TrainingPlan) -> None:
        """Pass the plan on."""
        self._inner.planned(plan)

    def epoch(
        self, header: RunHeader, records: Sequence[EpochRecord], diagnosis: Diagnosis
    ) -> None:
        """Pass an epoch on."""
        self._inner.epoch(header, records, diagnosis)

    def trained(self, header: RunHeader, records: Sequence[EpochRecord]) -> None:
        """Pass the end of the epochs on."""
        self._inner.trained(header, records)

    def evaluated(self, evaluation: Evaluation) -> None:
        """Pass an evaluation on."""
        self._inner.evaluated(evaluation)

    def judged(self, diagnosis: Diagnosis) -> None:
        """Pass the verdict on."""
        self._inner.judged(diagnosis)
