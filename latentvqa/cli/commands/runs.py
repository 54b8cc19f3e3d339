"""``latentvqa runs``: the runs below a folder with their scores and verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentvqa.report.text import say


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder that holds runs.")] = Path(
        "runs"
    ),
) -> None:
    """List the runs below a folder with their scores and verdicts.

    Example: latentvqa runs runs
    """
    from rich.table import Table
    from rich.text import Text

    from latentvqa.core.figures import percent
    from latentvqa.engine.run_report.listing import listed_runs
    from latentvqa.report.console import PlainConsole

    found = listed_runs(folder)
    table = Table()
    for name in ("run", "epochs", "exact match", "other image", "latent", "verdict"):
        is_number = name in ("epochs", "exact match", "other image")
        table.add_column(name, justify="right" if is_number else "left")
    for run in found.runs:
        scores = ["" if one is None else percent(one) for one in (run.exact_match, run.other_image)]
        cells = [str(run.folder), str(run.epochs), *scores, run.latent, run.verdict]
        table.add_row(*map(Text, cells))
    PlainConsole().print(table)
    for note in found.notes:
        say(f"warning: {note}", is_notice=True)
