"""``latentvqa report``: the page of a run, made anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.engine.run_report.samples import Answers


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, RUN/last or RUN/best.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write there; default: RUN/report.html."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, max=60, help="Answered questions to show; 0: none.")
    ] = 12,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Make report.html anew: curves, epochs, findings, config, answers with their images."""
    from latentvqa.engine.run_report.page import run_page
    from latentvqa.engine.runs.folder import RunFolder
    from latentvqa.engine.runs.tables import files_of
    from latentvqa.history import read_history
    from latentvqa.outputs import NamedOutput

    history = read_history(run)
    places = RunFolder(history.path.parent)
    if out is None:
        output = NamedOutput("the page", places.report, overwrite=True, is_own=True)
    else:
        output = NamedOutput("--out", out, overwrite)
    output.require_writable(files_of(places.path))

    def answer() -> Answers:
        return _predict(history.path.parent, device)

    page = run_page(history, samples, _warn, answer)
    output.save(page.encode("utf-8", "replace"))
    say(f"written to {output.path}")


def _predict(run: Path, device: str) -> Answers:
    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.run_report.fresh_answers import predicted_answers

    with ProgressLine() as line:
        return predicted_answers(run, NoticeObserver(line), device=device)


def _warn(text: str) -> None:
    say(text, is_notice=True)
