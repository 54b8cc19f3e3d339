"""Parse TOML that anybody may have written, and write what can be read again.

Whatever is wrong with a text is a ValueError. TOML knows neither a bound for the size
of a number nor one for nesting, and a configuration has both.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w

from latentvqa.core.quoting import cut
from latentvqa.errors import ConfigError

DEEPEST = 16  # tables and lists inside one another; the keys of a plan need five
_WHOLE_NUMBERS = range(-(2**63), 2**63)
_LONG_PATH = re.compile(r"(?<![^\s.])(?:[^\s.]+\.){64}")  # a key takes its parser the square of it
_TOO_DEEP = f"tables or lists lie more than {DEEPEST} deep in one another"
_TOO_LARGE = "a whole number does not fit into 64 bits"


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises:
        ValueError: if it is no TOML, or deeper or with larger numbers than any
            configuration.
    """
    if _LONG_PATH.search(text):
        raise ValueError(_TOO_DEEP)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(cut(str(error), 200)) from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    except ValueError as error:  # Python's own limit on the digits of a number
        raise ValueError(_TOO_LARGE) from error
    _check(tables)
    return tables


def written_toml(tables: Mapping[str, Any]) -> str:
    """Tables as the text of a TOML file.

    Raises:
        ConfigError: naming a text that no such file can hold, as the name of a folder
            that is no text.
    """
    text = tomli_w.dumps(tables)
    if text.isascii():
        return text
    for line in text.splitlines():
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(
                f"{cut(line, 200)}: holds bytes that are no text in UTF-8, which a TOML file "
                "cannot hold. Rename the file or folder."
            ) from error
    return text


def toml_value(text: str) -> Any:
    """Return the one value that a text is in TOML, else the text."""
    try:
        parsed = parse_toml(f"value = {text}")
    except ValueError:
        return text.strip()
    # text that TOML would read as several keys is one string here
    return parsed["value"] if parsed.keys() == {"value"} else text.strip()


def _check(tables: Mapping[str, Any]) -> None:
    level: list[tuple[str, Any]] = list(tables.items())
    for _ in range(DEEPEST):
        inner: list[tuple[str, Any]] = []
        for key, value in level:
            if isinstance(value, dict):
                inner += [(f"{key}.{cut(name)}", held) for name, held in value.items()]
            elif isinstance(value, list):
                inner += [(key, held) for held in value]
            elif isinstance(value, int) and value not in _WHOLE_NUMBERS:
                raise ValueError(f"{cut(key, 80)}: {_TOO_LARGE}")
        level = inner
    if level:
        raise ValueError(_TOO_DEEP)
