"""``--column``: the names of a table's columns, given the same way in every command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="NAME=COLUMN", help="A column's name in the table, as image=img_id."
    ),
]


def columns_of(texts: Sequence[str] | None) -> dict[str, str]:
    """Names of columns from ``image=img_id``.

    Raises:
        ConfigError: if one is written otherwise.
    """
    if not texts:
        return {}
    from latentvqa.data.columns import require_logical
    from latentvqa.errors import ConfigError

    columns = {}
    for text in texts:
        name, equals, column = text.partition("=")
        if not equals or not name or not column:
            raise ConfigError(f"--column {text}: write it as image=img_id")
        columns[name] = column
    require_logical("--column", columns)
    return columns


def column_overrides(texts: Sequence[str] | None) -> list[str]:
    """The same as overrides of ``data.columns``, which a configuration takes."""
    import json

    return [
        f"data.columns.{name}={json.dumps(column, ensure_ascii=False)}"
        for name, column in columns_of(texts).items()
    ]
