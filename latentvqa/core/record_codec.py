"""Records to plain JSON values and back, exactly.

Strict JSON has no NaN and no infinity, so those floats travel as the strings
``"NaN"``, ``"Infinity"`` and ``"-Infinity"``. Decoding follows the declared
types: a value of the wrong type becomes the default and is reported, never
guessed at and never an exception. Reads and writes no files.
"""

from __future__ import annotations

import math
import types
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from latentvqa.core.records import EpochRecord, Histogram, RunHeader

SCHEMA = 1
MOST_EPOCHS = 1_000_000
SAFE_INTEGER = 2**53  # what every JSON reader holds exactly

_TOKENS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_INVALID = object()
_T = TypeVar("_T")


def encode_header(header: RunHeader) -> dict[str, Any]:
    """The first line of a log."""
    return {"kind": "header", "schema": SCHEMA, **_encode_fields(header)}


def encode_epoch(record: EpochRecord) -> dict[str, Any]:
    """One epoch's line of a log; absent values are left out."""
    return {"kind": "epoch", **_encode_fields(record)}


def decode_header(line: Mapping[str, Any]) -> tuple[RunHeader, list[str]]:
    """Read a header line.

    Returns:
        The header, with defaults where values are absent or of a wrong type,
        and the dotted names of the fields that could not be used.
    """
    faults: list[str] = []
    return _decode_dataclass(RunHeader, line, "", faults), faults


def decode_epoch(line: Mapping[str, Any]) -> tuple[EpochRecord | None, list[str]]:
    """Read an epoch line; None where it has no usable epoch number or stage."""
    faults: list[str] = []
    record = _decode_dataclass(EpochRecord, line, "", faults)
    is_usable = not {"epoch", "stage"} & set(faults) and 0 <= record.epoch < MOST_EPOCHS
    return (record if is_usable else None), faults


def to_json(value: Any) -> Any:
    """Values that strict JSON can hold: tokens for NaN and infinities, text for the rest."""
    if isinstance(value, float) and not math.isfinite(value):
        return next(token for token, meant in _TOKENS.items() if str(meant) == str(value))
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value):
        return _encode_fields(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, Iterable) else str(value)


def _encode_fields(value: Any) -> dict[str, Any]:
    pairs = ((item.name, getattr(value, item.name)) for item in fields(value))
    return {name: to_json(held) for name, held in pairs if held is not None}


def _decode_dataclass(kind: type[_T], value: Mapping[str, Any], at: str, faults: list[str]) -> _T:
    arguments: dict[str, Any] = {}
    for name, (hint, item) in _shape_of(cast(Hashable, kind)).items():
        decoded = _INVALID
        if name in value:
            decoded = _decode(hint, value[name], f"{at}{name}", faults)
            if decoded is _INVALID:
                faults.append(f"{at}{name}")
        elif not _has_default(item):
            faults.append(f"{at}{name}")
        if decoded is not _INVALID:
            arguments[name] = decoded
        elif not _has_default(item):
            arguments[name] = _EMPTY.get(get_origin(hint) or hint, "full")
    return kind(**arguments)


# Stand-ins for required fields of a record that is then refused.
_EMPTY: dict[Any, Any] = {int: -1, tuple: ()}


@cache
def _shape_of(kind: Hashable) -> dict[str, tuple[Any, Field[Any]]]:
    hints = get_type_hints(cast(type, kind))
    return {item.name: (hints[item.name], item) for item in fields(cast(Any, kind))}


def _has_default(item: Field[Any]) -> bool:
    return item.default is not MISSING or item.default_factory is not MISSING


def _decode(hint: Any, value: Any, at: str, faults: list[str]) -> Any:
    """The value as its declared type, or the marker for an invalid one."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = next(kind for kind in arguments if kind is not type(None))
        return None if value is None else _decode(inner, value, at, faults)
    if origin is Literal:
        return value if isinstance(value, str) and value in arguments else _INVALID
    if origin is tuple:
        return _decode_tuple(arguments[0], value, at, faults)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _decode_mapping(arguments[1], value, at, faults)
    if is_dataclass(hint):
        return _decode_nested(cast(type, hint), value, at, faults)
    return _decode_scalar(hint, value)


def _decode_scalar(hint: Any, value: Any) -> Any:
    if hint is Any:
        return value
    if hint in (str, bool):
        return _clean(value) if isinstance(value, hint) else _INVALID
    if isinstance(value, str) and hint is float:
        return _TOKENS.get(value, _INVALID)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _INVALID
    if isinstance(value, float) and hint is float:
        return value
    is_held = abs(value) <= SAFE_INTEGER and float(value).is_integer()
    return hint(value) if is_held else _INVALID


def _clean(value: Any) -> Any:
    """Text without lone surrogates, which no terminal and no file can take."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _decode_tuple(hint: Any, value: Any, at: str, faults: list[str]) -> Any:
    if not isinstance(value, list):
        return _INVALID
    if hint is float and set(map(type, value)) == {float}:
        return tuple(value)  # most of a log are histograms
    if hint is int and set(map(type, value)) == {int} and max(map(abs, value)) <= SAFE_INTEGER:
        return tuple(value)
    items = tuple(_decode(hint, item, at, faults) for item in value)
    return _INVALID if any(item is _INVALID for item in items) else items


def _decode_mapping(hint: Any, value: Any, at: str, faults: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return _INVALID
    named = {_clean(str(key)): item for key, item in value.items()}
    items = {key: _decode(hint, item, f"{at}.{key}", faults) for key, item in named.items()}
    faults.extend(f"{at}.{key}" for key, item in items.items() if item is _INVALID)
    return {key: item for key, item in items.items() if item is not _INVALID}


def _decode_nested(kind: type, value: Any, at: str, faults: list[str]) -> Any:
    if not isinstance(value, Mapping):
        return _INVALID
    nested: list[str] = []
    decoded: Any = _decode_dataclass(kind, value, f"{at}.", nested)
    faults.extend(nested)
    if kind is Histogram:
        lost = any(fault in (f"{at}.edges", f"{at}.counts", f"{at}.sums") for fault in nested)
        is_whole = len(decoded.counts) == len(decoded.sums) == len(decoded.edges) + 1
        return decoded if is_whole and not lost else _INVALID
    return decoded
