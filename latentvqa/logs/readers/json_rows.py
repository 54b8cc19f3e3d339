"""Rows of JSON logs: one object a line, or a list of objects, torn or whole.

Reads the Hugging Face ``trainer_state.json`` by its ``log_history``. Nested
objects become columns with ``/`` between the names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from latentvqa.logs.columns.names import meaning_of
from latentvqa.logs.notes import Notes
from latentvqa.logs.numbers import position
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import encoding_of, failures_named, head_of, lines_of
from latentvqa.regular_files import read_regular_text

LARGEST_OBJECT = 1 << 24  # characters of an object that is read as a whole
DEEPEST = 4  # levels of nested objects that become columns

# integers as floats: 10**400 is infinite, and no limit on digits applies
_DECODER = json.JSONDecoder(parse_int=float)
_PRINTED = re.compile(r"\{\s*'[^'\n]{1,200}'\s*:\s*\[")  # lists by name, as Python prints them
_NOT_FINITE = re.compile(r"(?<![\w'])(?:nan|inf)(?![\w'])")
_WRAPPED = re.compile(r"(?:np\.|numpy\.)?float\d\d\(([^()]{1,40})\)")
_LOG_HISTORY = re.compile(r'"log_history"\s*:\s*\[')


def is_lines(lines: Sequence[str]) -> bool:
    """Whether one of the first lines is an object of its own, and not all there is."""
    if len(lines) == 1 and _is_lists(parsed(lines[0])):
        return False
    return any(_is_object(line) for line in lines[:20])


def beside_objects(lines: Sequence[str]) -> tuple[int, list[str]]:
    """How many measures the objects among these lines hold, and the other lines."""
    others, measures = [], 0
    for line in lines:
        value = parsed(line) if line.lstrip()[:1] == "{" else None
        if not isinstance(value, dict):
            others.append(line)
            continue
        known = (meaning_of(name) for name in flat(value))
        measures += sum(m is not None and m.field.place != "position" for m in known)
    return measures, others


def _is_object(line: str) -> bool:
    return line.lstrip()[:1] == "{" and isinstance(parsed(line), dict)


def is_trainer_state(head: str) -> bool:
    """Whether a file begins like ``trainer_state.json``."""
    return head.lstrip("\ufeff \t\r\n")[:1] == "{" and '"log_history"' in head


def is_document(head: str) -> bool:
    """Whether a file begins like a list or an object over several lines."""
    start = head.lstrip("\ufeff \t\r\n")
    return bool(re.match(r'\[\s*[{\]]|\{\s*("|\}|$)', start) or _PRINTED.match(start))


def parsed(line: str) -> Any:
    """The JSON value of a text, or None where it is torn."""
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None


def line_rows(path: Path, notes: Notes, *, is_growing: bool = False) -> Iterator[Row]:
    """Each line that is an object."""
    for number, line in lines_of(path, notes, is_growing=is_growing):
        value = parsed(line)
        if not isinstance(value, dict):
            cause = "is no JSON object" if line.endswith("\n") else "is cut in the middle"
            notes.fault(f"Line {number} {cause} and was left out.")
        elif "{" in line[line.index("{") + 1 :]:
            yield flat(value)
        else:
            yield value


def state_rows(path: Path, notes: Notes) -> Iterator[Row]:
    """The ``log_history`` of a trainer state, as far as it is whole.

    Its epochs are positions at the end of a step: 1.0 closes epoch 0.
    """
    text = _text(path)
    start = _LOG_HISTORY.search(text)
    for row in _objects(text, start.end() if start else 0, notes):
        epoch = position(row.get("epoch"))
        if epoch is None:
            yield row
        else:
            yield {**row, "epoch": float(max(math.ceil(epoch) - 1, 0))}


def document_rows(path: Path, notes: Notes) -> Iterator[Row]:
    """A list of objects, or one object of lists such as Keras's ``history``."""
    text = _text(path)
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] == "[":
        yield from _objects(text, text.index("[") + 1, notes)
        return
    if len(start) > LARGEST_OBJECT:
        notes.fault(f"The file is one object of more than {LARGEST_OBJECT >> 20} MiB.")
        return
    value = parsed(_as_json(start) if _PRINTED.match(start) else start)
    if not isinstance(value, dict):
        notes.fault("The file is no whole JSON object.")
        return
    columns = _lists(value)
    if not columns:
        yield flat(value)
    for at in range(max(map(len, columns.values()), default=0)):
        row = {name: held[at] for name, held in columns.items() if at < len(held)}
        yield {"epoch": float(at), **row}


def _as_json(text: str) -> str:
    """Lists by name, as Python prints them, in the signs of JSON."""
    numbers = _NOT_FINITE.sub(lambda found: "NaN" if found[0] == "nan" else "Infinity", text)
    return _WRAPPED.sub(r"\1", numbers).replace("'", '"')


def _lists(value: Any) -> dict[str, list[Any]]:
    """The lists of an object by name, or of its ``history`` where it has none."""
    if not isinstance(value, dict):
        return {}
    columns = {name: held for name, held in value.items() if isinstance(held, list)}
    return _lists(value.get("history")) or columns


def _is_lists(value: Any) -> bool:
    """Whether an object holds lists and no number of its own, as a row does."""
    return bool(_lists(value)) and not any(isinstance(held, int | float) for held in value.values())


def flat(value: Mapping[str, Any], prefix: str = "", depth: int = DEEPEST) -> dict[str, Any]:
    """Nested objects as ``outer/inner`` columns; lists are left out."""
    row: dict[str, Any] = {}
    for name, held in value.items():
        if isinstance(held, dict) and depth:
            row |= flat(held, f"{prefix}{name}/", depth - 1)
        elif not isinstance(held, dict | list):
            row[f"{prefix}{name}"] = held
    return row


def _objects(text: str, at: int, notes: Notes) -> Iterator[Row]:
    """Objects of a list from a position on, up to its end or to a tear."""
    while True:
        at = _after_blanks(text, at)
        if text[at : at + 1] == "]":
            return
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            notes.fault(f"The JSON ends or is torn at character {at}: the rest is left out.")
            return
        if isinstance(value, dict):
            yield flat(value)


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n", ","):
        at += 1
    return at


def _text(path: Path) -> str:
    encoding = encoding_of(head_of(path))
    with failures_named(path):
        return read_regular_text(path, encoding, "replace")
