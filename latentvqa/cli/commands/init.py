"""``latentvqa init``: a first configuration for a table and a folder of images."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.cli.column_options import ColumnOption, columns_of
from latentvqa.cli.preset_option import PresetOption
from latentvqa.report.text import escaped, say

if TYPE_CHECKING:
    from latentvqa.data.guessing.columns import GuessedColumns


def init(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="Training questions: .csv, .tsv, .jsonl, .json, .parquet."
        ),
    ],
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="The folder of its images.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The configuration.")] = Path(
        "run.toml"
    ),
    val: Annotated[
        Path | None,
        typer.Option(
            "--val", metavar="TABLE", help="Validation questions; else images are held out."
        ),
    ] = None,
    val_images: Annotated[
        Path | None,
        typer.Option(
            "--val-images", metavar="DIR", help="Their images, where that is another folder."
        ),
    ] = None,
    columns: ColumnOption = None,
    preset: PresetOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the likeliest column where two fit; never ask.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out.")
    ] = False,
) -> None:
    """Write a configuration that trains on a table and its images.

    Example: latentvqa init questions.csv photos
    """
    from latentvqa.config.loading import preset_layer
    from latentvqa.data.folders.names import ImageFolder
    from latentvqa.data.guessing.columns import guess_columns, names_an_image
    from latentvqa.data.table_files import parse_table, read_table_bytes, require_table
    from latentvqa.errors import DataError
    from latentvqa.outputs import NamedOutput

    output = NamedOutput("--out", out, overwrite)
    output.require_writable([one for one in (table, images, val) if one is not None])
    output.require_suffix(".toml")
    if preset is not None:
        preset_layer(preset)
    parsed = parse_table(table, read_table_bytes(table))
    if val is not None:
        require_table(val)
    for one in (images, val_images):
        if one is not None and not one.is_dir():
            raise DataError(f"{one}: no such folder; name the folder of the table's images")
    folder = ImageFolder(images)
    if names_an_image(parsed.names, folder):
        raise DataError(
            f"{table}: row 1 is a row of the table, for {parsed.names[0]!r} is an image: write the "
            "names of the columns above it, as image,question,answer"
        )
    given = columns_of(columns)
    found = guess_columns(parsed, folder, given)
    if found.unsure and not (yes and {"image", "question"} <= found.columns.keys()):
        given |= _asked(table, found)
        found = guess_columns(parsed, folder, given)

    from latentvqa.data.guessing.facts import data_facts

    facts = data_facts(table, images, found.renamed)

    from latentvqa.engine.first_config import FirstData, first_config

    data = FirstData(table, images, found.renamed, val, val_images)
    proposed = first_config(data, facts, preset=preset, folder=out.parent)
    output.save(proposed.text.encode())
    for logical, name in found.columns.items():
        say(f"{logical:<9} column {name}")
    if found.unused:
        say(f"unused    {', '.join(found.unused)}", is_prose=True)
    for note in facts.table.notes:
        say(f"note      {note}", is_prose=True)
    for reason in proposed.reasons:
        say(f"found     {reason}", is_prose=True)
    file = shlex.quote(str(out))
    say(f"written   {out}")
    say("next")
    say(f"  latentvqa train --config {file} --dry-run")
    say(f"  latentvqa train --config {file}")
    asked = "PICTURE --question TEXT --html answers.html"
    say(f"  latentvqa predict {shlex.quote(f'runs/{out.stem}')} {asked}")


def _asked(table: Path, found: GuessedColumns) -> dict[str, str]:
    """The columns that the cells leave open, asked for on a terminal.

    Raises:
        DataError: where there is no terminal, saying what to write.
    """
    from rich.prompt import Prompt

    from latentvqa.errors import DataError
    from latentvqa.report.console import PlainConsole

    names = [facts.name for facts in found.facts]
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        shown = "; ".join(
            f"{facts.name}: {', '.join(facts.examples[:2])}"[:80] for facts in found.facts[:12]
        )
        options = " ".join(
            f"--column {shlex.quote(f'{logical}={found.columns.get(logical, names[0])}')}"
            for logical in found.unsure
        )
        raise DataError(
            f"{table}: which column is the {' and the '.join(found.unsure)}? Say it, as {options}. "
            f"The columns: {shown}"
        )
    chosen = {}
    for logical in found.unsure:
        typer.echo(f"Which column is the {logical}?", err=True)
        for number, facts in enumerate(found.facts, start=1):
            line = f"  {number}  {facts.name}   {' | '.join(facts.examples)}"
            typer.echo(escaped(line[:100]), err=True)
        known = found.columns.get(logical)
        default = str(names.index(known) + 1 if known in names else 1)
        place = Prompt.ask(
            "Number",
            console=PlainConsole(stderr=True),
            choices=[str(number) for number in range(1, len(names) + 1)],
            show_choices=False,
            default=default,
        )
        chosen[logical] = names[int(place) - 1]
    return chosen
