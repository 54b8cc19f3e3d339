"""``latentvqa report``: the page of a run, made anew, or one page of several runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.engine.run_report.samples import Answers


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders, RUN/last or RUN/best.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write there; default: RUN/report.html. Several runs need it.",
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, max=60, help="Answered questions to show; 0: none.")
    ] = 12,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out.")
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps.")
    ] = "auto",
) -> None:
    """Make report.html anew: score, answers with images, curves; or compare several runs.

    Example: latentvqa report runs/a runs/b --out both.html
    """
    from latentvqa.engine.run_report.page import run_report
    from latentvqa.engine.runs.folder import RunFolder
    from latentvqa.engine.runs.tables import files_of
    from latentvqa.errors import ConfigError
    from latentvqa.history import read_history
    from latentvqa.outputs import NamedOutput
    from latentvqa.report.page.document import render_reports

    if len(runs) > 1 and out is None:
        raise ConfigError("a page of several runs lies in none of them: name it with --out FILE")
    histories = [read_history(run) for run in runs]
    folders = [RunFolder(history.path.parent) for history in histories]
    if out is None:
        output = NamedOutput("the page", folders[0].report, overwrite=True, is_own=True)
    else:
        output = NamedOutput("--out", out, overwrite)
    output.require_writable([path for one in folders for path in files_of(one.path)])
    output.require_suffix(".html", ".htm")
    pages = []
    for history in histories:
        answer = partial(_predict, history.path.parent, device)
        pages.append(run_report(history, samples, _warn, answer))
    output.save(render_reports(pages).encode("utf-8", "replace"))
    say(f"written to {output.path}")


def _predict(run: Path, device: str) -> Answers:
    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.run_report.fresh_answers import predicted_answers

    with ProgressLine() as line:
        return predicted_answers(run, NoticeObserver(line), device=device)


def _warn(text: str) -> None:
    say(text, is_notice=True)
