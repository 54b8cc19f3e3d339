"""What is wrong with a configuration, in words: key, value, bound, nearest known key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from latentvqa.core.quoting import cut

MOST_FAULTS = 50  # that one message lists

# pydantic's own words are Python's
_WORDINGS = {
    "model_type": "must be a table of keys",
    "dict_type": "must be a table of keys",
    "path_type": "input should be a path",
    "missing": "is missing",
    "too_short": "must not be empty",
}


def fault_texts(error: ValidationError, known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """One message per dotted key, to be put behind it; the branches of a union are joined.

    Args:
        error: what pydantic found.
        known: keys of every table that may stand at the top.
    """
    details: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for fault in error.errors():
        location = [str(part) for part in fault["loc"]]
        key = ".".join(location[:3] if location[:2] == ["data", "columns"] else location[:2])
        if fault["type"] == "extra_forbidden":
            hint = _nearest(location, known) if len(details) < MOST_FAULTS else ""
            message = f"is unknown{hint}"
        else:
            message = _WORDINGS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
            message = message[0].lower() + message[1:]
        details.setdefault(key, []).append(message)
        values[key] = fault["input"]
    texts = {}
    for key, messages in details.items():
        joined = " or ".join(dict.fromkeys(messages))
        if joined.startswith(("is unknown", "is missing")):
            texts[key] = f" {joined}"
        elif isinstance(values[key], Mapping):  # a fault between keys: the message names them
            texts[key] = f": {joined}"
        else:
            texts[key] = f" = {_shown(values[key])}: {joined}"
    return texts


def nearest_hint(wanted: str, known: Sequence[str]) -> str:
    """A question that names the nearest known name, or nothing where none is near."""
    near = difflib.get_close_matches(cut(wanted), known, n=1, cutoff=0.4)
    return f" Did you mean {near[0]}?" if near else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{cut(value, 80)}"' if isinstance(value, str) else cut(repr(value), 80)


def _nearest(location: Sequence[str], keys: Mapping[str, Sequence[str]]) -> str:
    known: Sequence[str]
    if len(location) == 1 or location[0] not in keys:
        known, wanted = list(keys), location[0]
    else:
        known, wanted = keys[location[0]], location[1]
    matches = difflib.get_close_matches(cut(wanted), known, n=1, cutoff=0.5)
    # a key that was put into the wrong section, or above all of them
    matches = matches or [f"{name}.{wanted}" for name, names in keys.items() if wanted in names]
    if matches:
        return f"; did you mean {matches[0]}?"
    return f"; known: {', '.join(known)}"
