"""Records to plain JSON values and back, exactly.

Decoding follows the declared types: a value of the wrong type becomes the
default and is reported, never guessed at and never an exception. Reads and
writes no files.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from latentvqa.core.records import EpochRecord, RunHeader

SCHEMA = 2  # since 2 every line ends with a sum of its text
MOST_EPOCHS = 1_000_000

_Record = TypeVar("_Record", RunHeader, EpochRecord)
_Place = tuple[str, ...]  # names from the outermost inward


_OF_OTHER_TOOLS = frozenset({"unjudged", "kl_candidates", "kl_resolution"})


def encode_header(header: RunHeader) -> dict[str, Any]:
    """The first line of a log; what only the reading of other tools' logs says is left out."""
    held = _encoded(header)
    told = {name: value for name, value in held.items() if value or name not in _OF_OTHER_TOOLS}
    return {"kind": "header", "schema": SCHEMA, **told}


def encode_epoch(record: EpochRecord) -> dict[str, Any]:
    """One epoch's line of a log; absent values are left out."""
    return {"kind": "epoch", **_encoded(record)}


def decode_header(line: Mapping[str, Any]) -> tuple[RunHeader, list[str]]:
    """Read a header line.

    Returns:
        The header, with defaults where values are absent or of a wrong type,
        and the dotted names of the fields that could not be used.
    """
    header, faults = _decoded(RunHeader, line)
    return header or RunHeader(), faults


def decode_epoch(line: Mapping[str, Any]) -> tuple[EpochRecord | None, list[str]]:
    """Read an epoch line; None where it has no usable epoch number or stage."""
    record, faults = _decoded(EpochRecord, line)
    is_usable = record is not None and 0 <= record.epoch < MOST_EPOCHS
    return (record if is_usable else None), faults


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(type, kind))


def _encoded(record: RunHeader | EpochRecord) -> dict[str, Any]:
    adapter = _adapter(cast(Hashable, type(record)))
    held: dict[str, Any] = adapter.dump_python(
        record, mode="json", exclude_none=True, warnings=False
    )
    return held


def _decoded(kind: type[_Record], line: Mapping[str, Any]) -> tuple[_Record | None, list[str]]:
    """The record without what is unusable; None where it lacks a required value."""
    adapter = _adapter(cast(Hashable, kind))
    held: dict[str, Any] = dict(line)
    faults: dict[str, None] = {}  # in order, each once
    while True:
        try:
            return adapter.validate_python(held), list(faults)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
        lost: list[_Place] = []
        for fault in found:
            place: _Place = _place(held, fault["loc"])
            lost.append(place)
            is_missing = fault["type"] == "missing"  # then what lacks the value is lost with it
            name = (*place, str(fault["loc"][-1])) if is_missing else place
            faults[".".join(name)] = None
        if () in lost:
            return None, list(faults)
        faults |= dict.fromkeys(map(".".join, lost))
        for gone in lost:
            held = _without(held, gone)


def _place(held: Mapping[str, Any], location: Sequence[int | str]) -> _Place:
    """The innermost named value at a location that can be taken out: a list is lost whole."""
    names: list[str] = []
    inner: Any = held
    for name in location:
        if not isinstance(inner, Mapping) or name not in inner:
            break
        names.append(str(name))
        inner = inner[name]
    return tuple(names)


def _without(held: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    """A copy without the value at a place."""
    name, *deeper = place
    rest = {key: value for key, value in held.items() if key != name}
    if deeper and name in held:
        rest[name] = _without(held[name], tuple(deeper))
    return rest
