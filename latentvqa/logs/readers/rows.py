"""What a reader yields: one mapping from column names to values per row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Row = Mapping[str, Any]


HEADING: Row = MappingProxyType({})  # stands where a log writes its heading again
RUNNING = "\0running"  # a key of rows that hold means of their epoch so far
