"""Read the JSON of published data sets, and name the place of what is not as documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentvqa.errors import DataError


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        DataError: if it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON ({error})") from error


def entries_of(path: Path, content: Any, key: str) -> list[Any]:
    """Return the list under a key of the outermost object.

    Raises:
        DataError: if there is none.
    """
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise DataError(f'{path}: no list "{key}" in it; is it a file of this data set?')
    return found


def value_of(path: Path, place: str, entry: Any, key: str) -> Any:
    """Return a value of an entry.

    Args:
        path: the file.
        place: of the entry in it, for the message.
        entry: should be an object.
        key: of the value.

    Raises:
        DataError: if the entry is no object or has no such key.
    """
    if not isinstance(entry, dict) or entry.get(key) is None:
        raise DataError(f'{path}: {place}: no "{key}" in it; is it a file of this data set?')
    return entry[key]


def text_of(path: Path, place: str, entry: Any, key: str) -> str:
    """Return a value of an entry as text; numbers are written out.

    Raises:
        DataError: if it is neither text nor number.
    """
    value = value_of(path, place, entry, key)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f'{path}: {place}: "{key}" is {str(value)[:40]}, not a text')
    return str(value)
