"""Read the JSON of published data sets, and name the place of what is not as documented."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentvqa.data.cells import is_one_text, number_text
from latentvqa.errors import DataError
from latentvqa.regular_files import read_regular_text


def read_json(path: Path, compact: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """Return the content of a JSON file.

    Args:
        path: the file.
        compact: drops from an object what is not needed, as soon as the object
            has been read; published files hold millions of them.

    Raises:
        DataError: if it cannot be read, is no JSON, or names a key twice.
    """

    def built(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entry = dict(pairs)
        if len(entry) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise DataError(f'{path}: "{twice}" stands there twice; remove one of the two')
        if compact is not None:
            compact(entry)
        return entry

    try:
        return json.loads(read_regular_text(path, "utf-8-sig"), object_pairs_hook=built)
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
        DataError: if it is blank, or neither text nor number.
    """
    return checked_text(path, f'{place}: "{key}"', value_of(path, place, entry, key))


def checked_text(path: Path, place: str, value: Any) -> str:
    """Return a value as text that a table can hold; numbers are written out.

    Raises:
        DataError: if it is blank, no Unicode, or neither text nor number.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str) and not (is_number and is_one_text(value)):
        raise DataError(f"{path}: {place} is {str(value)[:40]}, not a text")
    text = number_text(value) if isinstance(value, float) else str(value)
    if not text.strip():
        raise DataError(f"{path}: {place} is blank; fill it or remove the entry")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path}: {place} holds half of a character: {text[:40]!r}; mend or remove the entry"
        ) from error
    return text
