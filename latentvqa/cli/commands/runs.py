"""``latentvqa runs``: the runs below a folder with their scores and verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.engine.run_report.listing import ListedRun


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder that holds runs.")] = Path(
        "runs"
    ),
) -> None:
    """List the runs below a folder with their scores and verdicts.

    Example: latentvqa runs runs
    """
    from rich.padding import Padding
    from rich.text import Text

    from latentvqa.engine.run_report.listing import listed_runs
    from latentvqa.report.console import PlainConsole
    from latentvqa.report.whole_words import Prose

    found = listed_runs(folder)
    console = PlainConsole()
    for run in found.runs:
        # a path is never cut: it is what the next command takes
        console.print(Text(str(run.folder), "bold", overflow="fold"), soft_wrap=True)
        console.print(Padding(Prose(_line(run)), (0, 0, 0, 4)))
    for note in found.notes:
        say(f"warning: {note}", is_notice=True)


def _line(run: ListedRun) -> str:
    from latentvqa.core.figures import counted, probability

    parts = []
    if run.exact_match is not None:
        parts.append(f"{probability(run.exact_match)} exact match")
    if run.other_image is not None:
        parts.append(f"{probability(run.other_image)} with another image")
    if run.latent:
        parts.append(f"latent {run.latent}")
    parts.append(counted(run.epochs, "epoch"))
    return "; ".join([*parts, *([run.verdict] if run.verdict else [])])
