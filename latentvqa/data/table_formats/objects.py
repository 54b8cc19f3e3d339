"""JSON tables: an object for every row, one on each line or all in one list.

A JSON file may also be an object around the list, as data sets publish them. That of the
VQA challenge (``{"questions": [{"image_id": ..., "question": ..., "question_id": ...}]}``,
visualqa.org) has the columns ``image``, ``question`` and ``id``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from latentvqa.core.quoting import shortened
from latentvqa.data.cells import MOST_EXACT, number_text
from latentvqa.data.faults import Faults
from latentvqa.data.table_formats.table_file import TableFile, clean_names, decoded
from latentvqa.errors import DataError

_QUESTIONS = "questions"
_MORE = "Extra data"  # as the library says it
_CHALLENGE_NAMES = {"image_id": "image", "question_id": "id"}
_WANTED = (
    "a JSON table is a list of objects, one for each row, or an object that holds one such list"
)


def parse_jsonl(path: Path, data: bytes) -> TableFile:
    """Parse lines of JSON; a row has the number of its line.

    Raises:
        DataError: naming the lines that are not one object.
    """
    torn = Faults(path, "lines that are not one JSON object", "Write one object on each line.")
    rows: list[int] = []
    records: list[dict[str, Any]] = []
    for row, line in enumerate(decoded(path, data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _DECODER.decode(line)
        except json.JSONDecodeError as error:
            torn.add(row, f"character {error.colno}: {error.msg}")
            continue
        except RecursionError:
            torn.add(row, "objects or lists are nested too deeply")
            continue
        except ValueError as error:
            torn.add(row, str(error))
            continue
        if isinstance(record, dict):
            rows.append(row)
            records.append(record)
        else:
            torn.add(row, f"holds {shortened(line.strip())}")
    torn.raise_if_any()
    return _table(path, rows, records, "each line must hold an object with its cells")


def parse_json(path: Path, data: bytes) -> TableFile:
    """Parse one JSON value; rows are numbered from 1 on.

    Raises:
        DataError: if it is no list of objects and holds no single one.
    """
    try:
        content = _DECODER.decode(decoded(path, data))
    except json.JSONDecodeError as error:
        lines = "; one with an object on each line has the suffix .jsonl"
        raise DataError(
            f"{path}: line {error.lineno}, character {error.colno}: {error.msg}; {_WANTED}"
            f"{lines if error.msg == _MORE else ''}"
        ) from error
    except RecursionError as error:
        raise DataError(f"{path}: objects or lists are nested too deeply; {_WANTED}") from error
    except ValueError as error:
        raise DataError(f"{path}: {error}; {_WANTED}") from error
    is_challenge = isinstance(content, dict) and _is_table(content.get(_QUESTIONS))
    records = content[_QUESTIONS] if is_challenge else _only_table(path, content)
    _require_objects(path, records)
    if is_challenge:
        records = [_named_as_here(record) for record in records]
    return _table(path, range(1, len(records) + 1), records, _WANTED)


def _only_table(path: Path, content: Any) -> list[Any]:
    if _is_table(content):
        return list(content)
    parts = content if isinstance(content, dict) else {}
    names = [name for name, part in parts.items() if _is_table(part)]
    if len(names) != 1:
        shown = ", ".join(map(shortened, names[:5]))
        found = f"several lists of objects are in it: {shown}" if names else "no such list is in it"
        raise DataError(f"{path}: {found}; {_WANTED}")
    return list(parts[names[0]])


def _is_table(content: Any) -> bool:
    return isinstance(content, list) and any(isinstance(one, dict) for one in content)


def _require_objects(path: Path, records: list[Any]) -> None:
    """Refuse a table of which some rows are no objects, rather than look for another one."""
    torn = Faults(path, "rows that are not one JSON object", f"What is read: {_WANTED}.")
    for row, one in enumerate(records, start=1):
        if not isinstance(one, dict):
            torn.add(row, f"holds {shortened(str(one))}")
    torn.raise_if_any()


def _named_as_here(record: dict[str, Any]) -> dict[str, Any]:
    named = {
        _CHALLENGE_NAMES[name]: value for name, value in record.items() if name in _CHALLENGE_NAMES
    }
    return named | {name: value for name, value in record.items() if name not in _CHALLENGE_NAMES}


def _table(
    path: Path, rows: Sequence[int], records: list[dict[str, Any]], wanted: str
) -> TableFile:
    keys = list(dict.fromkeys(key for record in records for key in record))
    if not keys:
        raise DataError(f"{path}: the table is empty; {wanted}")
    return TableFile(
        clean_names(path, keys),
        np.array(rows, dtype=np.int64),
        lambda place: [record.get(keys[place]) for record in records],
    )


def _written_number(text: str) -> str:
    """A number with decimals as it is written, unless it is a whole one."""
    number = float(text)
    # beyond that a number of the file is not the nearest one of the machine
    is_exact = number.is_integer() and abs(number) <= MOST_EXACT
    return number_text(number) if is_exact else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {shortened(twice)} stands twice")
    return record


_DECODER = json.JSONDecoder(
    parse_int=str,
    parse_float=_written_number,
    parse_constant=float,  # NaN and the infinities, which are no JSON
    object_pairs_hook=_object,
)
