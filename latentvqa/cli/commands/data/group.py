"""``latentvqa data``: make, convert and check question tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from latentvqa.cli.commands.data.audit import audit
from latentvqa.cli.commands.data.convert import app as convert_app
from latentvqa.cli.help_screens import Command, Group
from latentvqa.core.figures import counted
from latentvqa.report.text import say

app = typer.Typer(cls=Group, help="Make, convert and check question tables.", no_args_is_help=True)
app.command("audit", cls=Command)(audit)
app.add_typer(convert_app, name="convert")


class Level(StrEnum):
    """Difficulty of generated scenes."""

    easy = "easy"
    full = "full"


@app.command("make-scenes", cls=Command)
def make_scenes(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
    images: Annotated[int, typer.Option(metavar="N", min=1, help="Number of scenes.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Same seed, same bytes.")] = 0,
    level: Annotated[
        Level,
        typer.Option(metavar="LEVEL", help="easy: three large objects; full: six, with relations."),
    ] = Level.full,
    questions_per_image: Annotated[
        int, typer.Option(metavar="N", min=1, help="Questions per scene.")
    ] = 20,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace scenes that were made in the folder.")
    ] = False,
) -> None:
    """Generate scenes in the manner of Sort-of-CLEVR: PNG files and questions.csv.

    Example: latentvqa data make-scenes scenes --images 500
    """
    from latentvqa.cli.console import ProgressLine
    from latentvqa.data.scenes.writing import make_scenes as write_scenes

    with ProgressLine() as progress:
        table = write_scenes(
            folder,
            images=images,
            seed=seed,
            level=level.value,
            questions_per_image=questions_per_image,
            overwrite=overwrite,
            progress=lambda done, total: progress.show("scenes", done, total),
        )
    say(f"{table} ({counted(images, 'scene')} in {folder / 'images'})")
