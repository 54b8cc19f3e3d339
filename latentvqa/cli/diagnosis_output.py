"""Where a diagnosis goes: screen, file, picture. It judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from latentvqa.errors import ConfigError, HistoryError
from latentvqa.outputs import NamedOutput
from latentvqa.regular_files import read_regular_text
from latentvqa.report.text import say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from latentvqa.report.diagnosis.judged_run import JudgedRun

PLAIN_WIDTH = 100  # columns of a table that is written to a file
PICTURES = (".svg", ".png")
LINES_AROUND = 8  # of an epoch table and a prompt, besides its rows
FEWEST_ROWS = 6  # epochs that a long run shows on the smallest screen


class OutputFormat(StrEnum):
    """How a diagnosis is written."""

    table = "table"
    json = "json"
    markdown = "markdown"
    html = "html"


@dataclass(frozen=True)
class DiagnosisOutput:
    """What the options of ``diagnose-kl`` say about its output.

    Attributes:
        output_format: how to write.
        out: file to write to, else stdout.
        plot: picture to draw besides.
        is_whole: every epoch of long runs is shown.
        overwrite: earlier files may be replaced.
    """

    output_format: OutputFormat
    out: Path | None = None
    plot: Path | None = None
    is_whole: bool = False
    overwrite: bool = False

    def require_possible(self, *, runs: int, is_watched: bool, inputs: Sequence[Path] = ()) -> None:
        """Refuse options that do not go together, before anything is read.

        Args:
            runs: how many are diagnosed.
            is_watched: whether one is followed.
            inputs: files that are read.

        Raises:
            ConfigError: naming the option and what to do.
            OutputError: if a file must not or cannot be written.
        """
        if self.plot is not None and self.plot.suffix.lower() not in PICTURES:
            raise ConfigError(f"--plot {self.plot}: the name must end in .svg or .png")
        if self.plot is not None and runs > 1:
            raise ConfigError("--plot draws one run: give one RUN, or compare with --format html")
        if is_watched and runs > 1:
            raise ConfigError("--watch follows one log: give one RUN")
        if is_watched and (self.out is not None or self.output_format is not OutputFormat.table):
            raise ConfigError("--watch shows tables on the screen: drop --format and --out")
        if self.out is not None:
            self._out(self.out).require_writable(inputs)
        if self.plot is not None:
            others = [] if self.out is None else [self.out]
            self._plot(self.plot).require_writable([*inputs, *others])

    def write(self, runs: list[JudgedRun], *, is_watched: bool = False) -> None:
        """Write the diagnosis of one run or of several.

        Args:
            runs: in the order of the command line.
            is_watched: the epochs were shown as they came.

        Raises:
            HistoryError: if nothing can be drawn.
            OutputError: if a file cannot be written.
        """
        if self.output_format is OutputFormat.table:
            self._write_tables(runs, is_watched)
        else:
            text = self._text(runs).rstrip("\n")
            if self.out is None:
                say(text)
            else:
                self._out(self.out).save(f"{text}\n".encode("utf-8", "backslashreplace"))
        if self.plot is not None:
            self._plot(self.plot).save(_drawn(runs[0], self.plot))

    def _out(self, path: Path) -> NamedOutput:
        return NamedOutput("--out", path, self.overwrite)

    def _plot(self, path: Path) -> NamedOutput:
        return NamedOutput("--plot", path, self.overwrite)

    def _text(self, runs: list[JudgedRun]) -> str:
        if self.output_format is OutputFormat.json:
            from latentvqa.report.diagnosis.json import diagnosis_json, diagnosis_object

            return diagnosis_json([diagnosis_object(run) for run in runs])
        if self.output_format is OutputFormat.markdown:
            from latentvqa.report.diagnosis.markdown import diagnoses_markdown

            return diagnoses_markdown(runs, is_whole=self.is_whole)
        from latentvqa.report.page.document import RunReport, render_reports

        return render_reports([RunReport(run, _config_of(run)) for run in runs])

    def _write_tables(self, runs: list[JudgedRun], is_watched: bool) -> None:
        from io import StringIO

        from latentvqa.report.console import PlainConsole

        captured = StringIO()
        console = PlainConsole()
        if self.out is not None:
            console = PlainConsole(file=captured, width=PLAIN_WIDTH)
        if len(runs) > 1:
            _print_comparison(console, runs)
        else:
            is_shown = is_watched and not console.is_terminal
            _print_run(console, runs[0], is_whole=self.is_whole, is_shown=is_shown)
        if self.out is not None:
            self._out(self.out).save(captured.getvalue().encode("utf-8", "backslashreplace"))


def _print_comparison(console: Console, runs: list[JudgedRun]) -> None:
    from rich.console import Group

    from latentvqa.report.diagnosis.comparison import comparison_table
    from latentvqa.report.diagnosis.judged_run import distinct_names
    from latentvqa.report.whole_words import Prose

    console.print(comparison_table(runs, console.width))
    for name, run in zip(distinct_names(runs), runs, strict=True):
        answers = [] if run.what_if is None else [run.what_if.sentence]
        for text in (*run.diagnosis.notes, *answers):
            console.print(Group(Prose(f"{name}: {text}")))


def _print_run(console: Console, run: JudgedRun, *, is_whole: bool, is_shown: bool) -> None:
    """Epochs (unless they were shown before), findings and verdict."""
    from rich.console import Group

    from latentvqa.report.diagnosis.epoch_choice import choice_note, epochs_to_show
    from latentvqa.report.diagnosis.tables import (
        account_table,
        epoch_table,
        findings_table,
        verdict_panel,
        what_if_table,
    )
    from latentvqa.report.whole_words import Prose

    history, found = run.history, run.diagnosis
    below: list[RenderableType] = [findings_table(found)] if found.findings else []
    below += [account_table(found, console.width)] if found.account else []
    below.append(verdict_panel(found))
    if history.records and not is_shown and not history.header.unjudged:
        shown = list(history.records)
        if console.is_terminal and not is_whole:
            taken = sum(len(console.render_lines(part)) for part in below) + LINES_AROUND
            rows = max(FEWEST_ROWS, console.height - taken)
            shown = epochs_to_show(history.records, found.findings, rows)
        note = choice_note(len(shown), len(history.records))
        console.print(epoch_table(history.header, shown, console.width, note))
    for part in below:
        console.print(part)
    if run.what_if is not None:
        if run.what_if.table:
            console.print(what_if_table(run.what_if))
        console.print(Group(Prose(run.what_if.sentence)))


def _config_of(run: JudgedRun) -> str | None:
    from latentvqa.engine.runs.folder import RunFolder

    config = RunFolder(run.history.path.parent).config
    return read_regular_text(config, errors="replace") if config.is_file() else None


def _drawn(run: JudgedRun, path: Path) -> bytes:
    from latentvqa.report.diagnosis.picture import curves_png, curves_svg

    try:
        return curves_svg(run) if path.suffix.lower() == ".svg" else curves_png(run)
    except ValueError as error:
        raise HistoryError(f"--plot: {run.history.path}: {error}") from error
