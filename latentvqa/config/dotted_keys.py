"""Tables of keys as a TOML file nests them, and as flat dotted keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nested_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of keys from dotted ones; what is nested already stays so."""
    nested: dict[str, Any] = {}
    for dotted, value in keys.items():
        *sections, key = dotted.split(".")
        inner = nested
        for section in sections:
            inner = inner.setdefault(section, {})
        known = inner.get(key)
        if isinstance(value, Mapping):
            inner[key] = {**(known if isinstance(known, dict) else {}), **nested_keys(value)}
        else:
            inner[key] = value
    return nested


def dotted_keys(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The opposite of :func:`nested_keys`."""
    dotted: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping) and value:
            dotted |= dotted_keys(value, f"{prefix}{key}.")
        else:
            dotted[f"{prefix}{key}"] = value
    return dotted
