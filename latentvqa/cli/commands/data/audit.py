"""``latentvqa data audit``: examine question tables before training on them."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from latentvqa.cli.column_options import ColumnOption, column_overrides
from latentvqa.core.figures import counted
from latentvqa.report.text import say

FAILED = 3


class FailOn(StrEnum):
    """Level from which on findings make the exit code 3."""

    info = "info"
    warning = "warning"
    critical = "critical"


def audit(
    tables: Annotated[
        list[Path],
        typer.Argument(metavar="TABLE...", help="The first is to be trained on, others follow."),
    ],
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images",
            metavar="DIR",
            help="Images folder, or one for each table in their order; without it only the tables.",
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            metavar="DIR",
            help="Folder of images trained on elsewhere, to look for the tables' images in.",
        ),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="As in train: columns, text, images folder."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="As in train: data.columns, text.*."),
    ] = None,
    columns: ColumnOption = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on", metavar="LEVEL", help="info, warning, critical: exit with 3 from it on."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Find leaks, contradictions, blind priors, cut texts and bad images in tables.

    Example: latentvqa data audit train.csv val.csv --images photos
    """
    from latentvqa.data.table_files import require_table

    for table in tables:  # before the seconds that PyTorch takes
        require_table(table)

    from latentvqa.cli.console import ProgressLine
    from latentvqa.config import load_config
    from latentvqa.core.rules.rule import LEVELS
    from latentvqa.data.audit.report import audit_tables
    from latentvqa.report.audit import audit_json, audit_panel
    from latentvqa.report.console import PlainConsole
    from latentvqa.report.text import json_text

    nowhere = Path(os.devnull)  # a configuration must name a folder, and an audit need not
    named = [
        f"data.train={json.dumps(str(tables[0]))}",
        *(overrides or []),
        *column_overrides(columns),
    ]
    config = load_config(config_file, overrides=named, beneath={"data": {"images": str(nowhere)}})
    folders = images or []
    if not folders and config.data.images not in (None, nowhere):
        later = config.data.val_images or config.data.images
        folders = [config.data.images, *[later] * (len(tables) - 1)]
    if len(folders) not in (0, 1, len(tables)):
        raise typer.BadParameter(
            f"{counted(len(folders), 'folder')} for {counted(len(tables), 'table')}: give one, or "
            "one for each table",
            param_hint="--images",
        )
    if against and not folders:
        raise typer.BadParameter("needs the tables' own images: --images", param_hint="--against")
    with ProgressLine() as line:
        found = audit_tables(tables, folders, config, line.show, elsewhere=against or [])
    for note in found.notes:
        say(f"warning: {note}", is_notice=True)
    if as_json:
        say(json_text(audit_json(found)))
    else:
        PlainConsole().print(audit_panel(found))
    if fail_on is not None:
        worst = max((LEVELS.index(finding.level) for finding in found.findings), default=0)
        if worst >= LEVELS.index(fail_on.value):
            raise typer.Exit(FAILED)
