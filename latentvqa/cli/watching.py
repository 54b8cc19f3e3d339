"""Follow the log of a run that is still being written, until its end or Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from latentvqa.cli.screen import rows_above
from latentvqa.errors import HistoryError
from latentvqa.history import log_path
from latentvqa.report.console import PlainConsole
from latentvqa.report.diagnosis.tables import (
    epoch_line,
    epoch_table,
    is_plan_known,
    verdict_line,
    verdict_panel,
)
from latentvqa.report.text import say
from latentvqa.stopping import Interrupted

if TYPE_CHECKING:
    from latentvqa.history import History
    from latentvqa.report.diagnosis.judged_run import JudgedRun

POLL_SECONDS = 1.0


def watch_log(run: Path, judge: Callable[[Path], JudgedRun]) -> JudgedRun | None:
    """Show a log whenever it has grown.

    On a terminal the last epochs and the verdict are redrawn; elsewhere every
    new epoch is one line. Nothing stays on a terminal: the caller writes what
    is to remain.

    Args:
        run: run folder or log; it need not exist yet.
        judge: reads and judges it.

    Returns:
        The run as it was last read; None where no log came before Ctrl-C.

    Raises:
        HistoryError: if there is a log and it cannot be read.
    """
    console = PlainConsole()
    judged: JudgedRun | None = None
    seen: tuple[int, ...] | None = None
    try:
        if not log_path(run).exists():
            _notify(f"waiting for {log_path(run)}; Ctrl-C ends")
        is_announced = False
        with _Screen(console, run) if console.is_terminal else _Lines(console) as view:
            while judged is None or not is_over(judged.history):
                state = _state(log_path(run))
                if state == seen:
                    time.sleep(POLL_SECONDS)
                    continue
                seen = state
                judged = _read(run, judge) or judged
                if judged is not None:
                    view.show(judged)
                elif state is not None and not is_announced:
                    is_announced = True
                    _notify(f"{log_path(run)} holds no header and no epoch yet; Ctrl-C ends")
    except Interrupted as interrupted:
        if interrupted.number != signal.SIGINT:
            raise
        if judged is None:
            _notify(f"no log came to {log_path(run)}")
    return judged


def is_over(history: History) -> bool:
    """Whether the planned epochs are done or the patience is used up."""
    header, records = history.header, history.records
    if not records or not is_plan_known(header):
        return False  # an assumed plan ends nothing
    used, patience = records[-1].patience_used, header.patience
    is_stopped = used is not None and patience is not None and used >= patience
    return is_stopped or records[-1].epoch >= header.stages.total - 1


class _Lines:
    """One line per new epoch; the newest carries the verdict."""

    def __init__(self, console: PlainConsole) -> None:
        self._console = console
        self._shown = -1

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, judged: JudgedRun) -> None:
        header, records = judged.history.header, judged.history.records
        if not records or records[-1].epoch < self._shown:
            self._shown = -1  # another run has taken the place of this one
        for record in (record for record in records if record.epoch > self._shown):
            diagnosis = judged.diagnosis if record is records[-1] else None
            line = epoch_line(header, record, diagnosis)
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            self._shown = record.epoch


class _Screen:
    """The last epochs and the verdict, drawn anew; gone at the end."""

    def __init__(self, console: PlainConsole, run: Path) -> None:
        self._console, self._run = console, run
        self._live = Live(console=console, transient=True, auto_refresh=False)

    def __enter__(self) -> _Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, judged: JudgedRun) -> None:
        header, records = judged.history.header, judged.history.records
        verdict = verdict_panel(judged.diagnosis)
        rows, below = rows_above(self._console, [verdict], [verdict_line(judged.diagnosis)])
        progress = f"epochs so far: {len(records)}; Ctrl-C ends; following {self._run}"
        place = Text(progress, style="dim", no_wrap=True, overflow="ellipsis")
        parts: list[RenderableType] = [*below, place]
        if records:
            parts.insert(0, epoch_table(header, records[-rows:], self._console.width))
        self._live.update(Group(*parts), refresh=True)


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes when a log is written to or replaced; None without one."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _read(run: Path, judge: Callable[[Path], JudgedRun]) -> JudgedRun | None:
    """The run, or None while its log is absent or holds nothing yet."""
    try:
        return judge(run)
    except HistoryError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            raise
        return None


def _notify(text: str) -> None:
    say(text, is_notice=True)
