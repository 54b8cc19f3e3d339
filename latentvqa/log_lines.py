"""Lines of ``metrics.jsonl``: records as bytes, and bytes as what each line is.

Every line is a JSON object that ends with a sum of its own text. Those of the
first version have none, and are read all the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from latentvqa.core.formats import newer_format
from latentvqa.core.record_codec import SCHEMA, encode_epoch, encode_header
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.summed_text import has_right_sum, with_sum

Kind = Literal["header", "epoch", "damaged", "cut", "other"]
_WITHOUT_SUMS = 1  # schema of the version whose lines had none


def header_line(header: RunHeader) -> bytes:
    """The first line of a log, with its sum."""
    return _line(encode_header(header))


def epoch_line(record: EpochRecord) -> bytes:
    """An epoch's line of a log, with its sum."""
    return _line(encode_epoch(record))


@dataclass(frozen=True)
class Line:
    """A line that is not blank: its number, its text, and what it is.

    ``damaged`` is one that its sum does not fit, ``cut`` the last one without its end.
    """

    number: int
    raw: bytes
    kind: Kind
    value: Any

    def renewed(self) -> bytes:
        """The text with its end; that of the first version with a sum."""
        if has_right_sum(self.raw):
            return self.raw + b"\n"
        schema = {"schema": SCHEMA} if self.kind == "header" else {}
        return _line({**self.value, **schema})


def lines_of(content: bytes) -> list[Line]:
    """The lines of a log; where one has a sum, all have."""
    texts = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    sums = [has_right_sum(raw) for raw in texts]
    values = [_parse(raw) for raw in texts]
    needs_sums = any(found is not None for found in sums) or any(map(_says_sums, values))
    lines = []
    for number, (raw, found, value) in enumerate(zip(texts, sums, values, strict=True), start=1):
        if not raw.strip():
            continue
        kind: Kind = "other"
        if value is None and number == len(texts):
            kind = "cut"
        elif needs_sums and not found and not (found is None and _is_newer(value)):
            kind = "damaged"
        elif _is_header(value):
            kind = "header"
        elif _is_epoch(value):
            kind = "epoch"
        lines.append(Line(number, raw, kind, value))
    return lines


def _says_sums(value: Any) -> bool:
    """Whether a header is of a version whose lines all have sums."""
    schema = value.get("schema") if _is_header(value) else None
    return isinstance(schema, int) and _WITHOUT_SUMS < schema <= SCHEMA


def _is_newer(value: Any) -> bool:
    """Whether a header is of a version that may have other sums."""
    return _is_header(value) and newer_format("", value.get("schema"), SCHEMA) is not None


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "header"


def _is_epoch(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind", "epoch") == "epoch"


def _parse(raw: bytes) -> Any:
    """The JSON value of a line, or None where it is torn."""
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return with_sum(text.encode("utf-8", "replace")) + b"\n"
