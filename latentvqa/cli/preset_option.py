"""``--preset``, with the names that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import latentvqa

# by their files: the list is part of a help text, which loads no configuration
_NAMES = sorted(path.stem for path in (Path(latentvqa.__file__).parent / "presets").glob("*.toml"))

PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"Begin from a shipped configuration: {', '.join(_NAMES)}.",
    ),
]
