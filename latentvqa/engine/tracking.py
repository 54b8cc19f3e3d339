"""An observer that passes everything on, and tells tools outside of it as well.

A tool that fails costs one notice and is told no more; the training goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from latentvqa.config import Config, config_to_toml, plain_config
from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runtime.observer import Observer, TrainingPlan
from latentvqa.stopping import deferred
from latentvqa.tracking.measures import (
    VERDICT,
    epoch_measures,
    evaluation_measures,
    verdict_level,
)
from latentvqa.tracking.opening import open_tracker, require_installed
from latentvqa.tracking.tracker import TrackedRun, Tracker


class TrackingObserver(Observer):
    """Tells an observer and some tools.

    Args:
        observer: hears everything first.
        run: the run folder.
        names: of the tools.
    """

    def __init__(self, observer: Observer, run: Path, names: Sequence[str]) -> None:
        self._observer, self._run, self._names = observer, run, list(dict.fromkeys(names))
        self._trackers: dict[str, Tracker] = {}
        self._evaluation: Evaluation | None = None

    def notice(self, text: str) -> None:
        """Pass a notice on."""
        self._observer.notice(text)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Pass progress on."""
        self._observer.progress(phase, done, total)

    def epoch_begins(self, epoch: int, epochs: int) -> None:
        """Pass the beginning of an epoch on."""
        self._observer.epoch_begins(epoch, epochs)

    def training_loss(self, value: float) -> None:
        """Pass the loss of a step on."""
        self._observer.training_loss(value)

    def planned(self, plan: TrainingPlan) -> None:
        """Open the run in every tool: from here on the folder is its own."""
        self._observer.planned(plan)
        config = read_config(self._run)
        run = TrackedRun(self._run, plain_config(config), config_to_toml(config))
        for name in self._names:
            with self._failing(name):
                self._trackers[name] = open_tracker(name, run)

    def epoch(
        self, header: RunHeader, records: Sequence[EpochRecord], diagnosis: Diagnosis
    ) -> None:
        """Tell the new epoch, and before it those that a tool lacks."""
        self._observer.epoch(header, records, diagnosis)
        newest = records[-1].epoch
        told = {VERDICT: verdict_level(diagnosis)}

        def tell(tracker: Tracker) -> None:
            for record in records:
                if record.epoch > tracker.last_epoch:
                    is_newest = record.epoch == newest
                    measures = epoch_measures(record) | (told if is_newest else {})
                    tracker.epoch(record.epoch, measures)
            tracker.verdict(newest, diagnosis.verdict.sentence)

        self._tell(tell)

    def sampled(self, samples: Sequence[SampleAnswer]) -> None:
        """Tell the answers after an epoch."""
        self._observer.sampled(samples)
        self._tell(lambda tracker: tracker.samples(samples[0].epoch, samples))

    def trained(self, header: RunHeader, records: Sequence[EpochRecord]) -> None:
        """Pass the end of training on."""
        self._observer.trained(header, records)

    def evaluated(self, evaluation: Evaluation) -> None:
        """Keep the scores until the verdict is known."""
        self._observer.evaluated(evaluation)
        self._evaluation = evaluation

    def judged(self, diagnosis: Diagnosis) -> None:
        """Tell the scores and the verdict on the whole run."""
        self._observer.judged(diagnosis)
        if self._evaluation is None:
            return
        measures = evaluation_measures(self._evaluation.result)
        sentence = diagnosis.verdict.sentence
        self._tell(lambda tracker: tracker.evaluation(measures, sentence))

    def close(self) -> None:
        """End the run in every tool."""
        self._tell(lambda tracker: tracker.close())
        self._trackers.clear()

    def _tell(self, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._failing(name):
                tell(tracker)

    @contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """A block in which a tool may fail; a signal waits for its end."""
        with deferred():
            try:
                yield
            except Exception as error:  # foreign code raises what it likes
                self._trackers.pop(name, None)
                self.notice(
                    f"warning: {name} is told no more of this run, which goes on: "
                    f"{type(error).__name__}: {error}"
                )


@contextmanager
def tracked(run: Path, config: Config, observer: Observer) -> Iterator[Observer]:
    """An observer that also tells the tools of ``run.log_to``; they are ended with the block.

    Args:
        run: the run folder.
        config: of the run.
        observer: hears everything as well.

    Raises:
        ConfigError: for a tool that is not installed.
    """
    names = config.run.log_to
    if not names:
        yield observer
        return
    require_installed(names)
    tracking = TrackingObserver(observer, run, names)
    try:
        yield tracking
    finally:
        tracking.close()
