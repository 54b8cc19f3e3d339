"""Read a TOML file that a user names; what cannot be read is one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentvqa.core.formats import newer_format
from latentvqa.core.toml_text import parse_toml
from latentvqa.errors import ConfigError
from latentvqa.regular_files import open_regular

SCHEMA = 1  # of what a run writes; stands in it as the key of that name
_MOST_BYTES = 1 << 20


def read_toml(path: Path, option: str) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: the file.
        option: what the user names it by.

    Raises:
        ConfigError: if it cannot be read, or a newer version wrote it.
    """
    try:
        return without_schema(parse_toml(_content(path).decode("utf-8-sig")), path)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file. Give {option} an existing TOML file.") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 TOML: {error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def without_schema(values: dict[str, Any], source: object) -> dict[str, Any]:
    """The keys without the number of their format.

    Args:
        values: tables of keys.
        source: where they stand, for people.

    Raises:
        ConfigError: if a newer version wrote them.
    """
    schema = values.get("schema")
    if not isinstance(schema, int):
        return values
    if sentence := newer_format(source, schema, SCHEMA):
        raise ConfigError(sentence)
    return {name: value for name, value in values.items() if name != "schema"}


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES >> 20} MiB")
    return content
