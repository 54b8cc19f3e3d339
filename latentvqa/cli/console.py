"""What a person sees while something runs: on stderr, alive only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from latentvqa.cli.screen import rows_above
from latentvqa.cli.streams import require_written, steady
from latentvqa.cli.time_left import TimeLeft, short_duration
from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runtime.observer import Observer, TrainingPlan
from latentvqa.report.console import PlainConsole
from latentvqa.report.diagnosis.advice import advice_text
from latentvqa.report.diagnosis.columns import finding_name
from latentvqa.report.diagnosis.tables import epoch_line, epoch_table, verdict_line, verdict_panel
from latentvqa.report.samples import sample_lines
from latentvqa.report.whole_words import Prose
from latentvqa.stopping import poll_if_lost

if TYPE_CHECKING:
    from latentvqa.engine.evaluation.evaluate import Evaluation

_SAMPLES = 4  # of the answers after an epoch, a line each
# columns that stand beside a bar, and how short and long it may be
_BESIDE_BAR, _SHORTEST_BAR, _LONGEST_BAR = 56, 4, 40


class _TimeLeftColumn(TimeRemainingColumn):
    """Time left of the whole work where it is told, else of the phase."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        if left is None:
            return super().render(task)
        return Text(left, style="progress.remaining", no_wrap=True)


class ProgressLine:
    """One progress bar on a terminal, silence elsewhere. Use as a context manager."""

    def __init__(self) -> None:
        self.console = PlainConsole(stderr=True)
        bar = min(_LONGEST_BAR, max(_SHORTEST_BAR, self.console.width - _BESIDE_BAR))
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=bar),
            MofNCompleteColumn(),
            _TimeLeftColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self.progress.add_task("", total=None, visible=False)

    def __enter__(self) -> ProgressLine:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, phase: str, done: int, total: int, left: str | None = None) -> None:
        """Move the bar; the work stops here at a signal that something took for an error.

        Args:
            phase: what is done.
            done: items of it that are finished.
            total: items of it.
            left: how long all work still takes; None to show it of the phase.
        """
        poll_if_lost()
        self.progress.update(
            self._task, description=phase, completed=done, total=total, visible=True, left=left
        )


class NoticeObserver(Observer):
    """Progress and notices of an evaluation.

    Args:
        line: where they are shown.
    """

    def __init__(self, line: ProgressLine) -> None:
        self.line = line

    def notice(self, text: str) -> None:
        """Print a notice above the bar."""
        console = self.line.console
        console.print(Group(Prose(text)), soft_wrap=not console.is_terminal)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Move the bar."""
        self.line.show(phase, done, total)


class TrainingConsole(NoticeObserver):
    """A growing table with its verdict on a terminal, one line per epoch elsewhere.

    Results go to stdout: the whole table after the last epoch, the scores of the
    evaluation, and the verdict. A run goes on where nobody reads them.

    Args:
        advise: whether to show every change that the rules suggest.
    """

    def __init__(self, *, advise: bool = False) -> None:
        super().__init__(ProgressLine())
        self.advise = advise
        self.console = self.line.console
        self._shown: list[RenderableType] = []
        # the bar is drawn by the live display, not by itself
        self._live = Live(
            console=self.console,
            transient=True,
            get_renderable=lambda: Group(*self._shown, self.line.progress),
            refresh_per_second=4,
        )
        self._shows = ExitStack()
        self._screen = PlainConsole(file=steady(sys.stdout))
        self._time_left = TimeLeft()
        self._epoch: tuple[int, int] | None = None  # at work, and of how many
        self._loss: float | None = None
        self._samples: list[str] = []
        self._seen: tuple[RunHeader, Sequence[EpochRecord]] | None = None

    def __enter__(self) -> TrainingConsole:
        if self.console.is_terminal:
            self._live.start()
            self._shows.callback(self._live.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._shows.close()
        if self._seen is not None and self.console.is_terminal:  # the live table is gone
            self.console.print(epoch_table(*self._seen, self.console.width))

    def planned(self, plan: TrainingPlan) -> None:
        """Say in one line what begins."""
        self._time_left.plan(plan.epochs)
        self.notice(plan.summary())
        if plan.free_bits_origin:
            self.notice(f"free_bits auto: {plan.free_bits_origin}")

    def epoch_begins(self, epoch: int, epochs: int) -> None:
        """Name the epoch on the bar from here on."""
        self._epoch, self._loss = (epoch, epochs), None

    def training_loss(self, value: float) -> None:
        """Show the loss on the bar."""
        self._loss = value

    def progress(self, phase: str, done: int, total: int) -> None:
        """Move the bar; while an epoch is at work it tells of the whole training."""
        if self._epoch is None:
            super().progress(phase, done, total)
            return
        epoch, epochs = self._epoch
        name = f"epoch {epoch}"
        is_training = phase == name
        seconds = self._time_left.seconds(epoch, done / total if is_training else 1.0)
        text = f"{name}/{epochs - 1}"
        if not is_training:
            text = f"{text} {phase}"
        elif self._loss is not None:
            text = f"{text} loss {self._loss:.4g}"
        left = "" if seconds is None else f"{short_duration(seconds)} left"
        self.line.show(text, done, total, left)

    def sampled(self, samples: Sequence[SampleAnswer]) -> None:
        """Show some answers with the next epoch."""
        self._samples = sample_lines(samples, _SAMPLES, self.console.width)
        if not self.console.is_terminal:
            for text in self._samples:
                self.notice(text)

    def epoch(
        self, header: RunHeader, records: Sequence[EpochRecord], diagnosis: Diagnosis
    ) -> None:
        """Show the table so far, or a line."""
        self._time_left.epoch_done(sum(records[-1].seconds.values()))
        advice = advice_lines(diagnosis) if self.advise else []
        if not self.console.is_terminal:
            line = epoch_line(header, records[-1], diagnosis)
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)
            for text in advice:
                self.notice(f"  {text}")
            return
        self._seen = header, records
        verdict = verdict_panel(diagnosis)
        texts = [Text(text, no_wrap=True) for text in self._samples] + list(map(Prose, advice))
        rows, below = rows_above(
            self.console, [verdict, *texts], [verdict], [verdict_line(diagnosis)]
        )
        table = epoch_table(header, records[-rows:], self.console.width)
        self._shown = [table, *below]

    def trained(self, header: RunHeader, records: Sequence[EpochRecord]) -> None:
        """Leave the whole table on stdout; a bar shows the evaluation."""
        self._epoch = self._seen = None
        self._shows.close()
        self._screen.print(epoch_table(header, records, self._screen.width))
        self.line = self._shows.enter_context(ProgressLine())

    def evaluated(self, evaluation: Evaluation) -> None:
        """Leave the scores on stdout."""
        from latentvqa.report.evaluation.scores import score_panel

        self._shows.close()
        self._screen.print(score_panel(evaluation.result, self._screen.width, says_verdict=False))

    def judged(self, diagnosis: Diagnosis) -> None:
        """Leave the verdict on stdout."""
        self._shows.close()
        self._screen.print(verdict_panel(diagnosis))

    def result(self, text: str) -> None:
        """Leave the last line on stdout.

        Raises:
            OSError: if this or what came before it could not be written.
        """
        self._screen.print(text, highlight=False, markup=False, soft_wrap=True)
        require_written(self._screen.file)


def advice_lines(diagnosis: Diagnosis) -> list[str]:
    """Every change that open findings suggest, one line each."""
    return [
        f"advice: {advice_text(one.advice)} ({one.code} {finding_name(one.name, one.level)})"
        for one in diagnosis.open_findings
        if one.advice is not None
    ]
