"""The last row of a file that ends within a number.

``kl=1`` at the very end may be the beginning of 12.62. It is torn where the column
had more decimals in the row before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from latentvqa.logs.notes import Notes
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import encoding_of, failures_named, head_of
from latentvqa.regular_files import open_regular

_TAIL_BYTES = 256


def without_torn_end(rows: Iterable[Row], path: Path, notes: Notes) -> Iterator[Row]:
    """The rows, without a last one whose last number is cut."""
    tail = _tail(path)
    before: Row = {}
    last: Row | None = None
    for row in rows:
        if last is not None:
            yield last
            before = last or before
        last = row
    if last is None:
        return
    torn = None if tail.endswith(("\n", "\r")) else _torn_cell(last, before, tail)
    if torn is None:
        yield last
    else:
        notes.fault(
            f"The file ends within a number ({torn}={last[torn]}): its last row is left out."
        )


def _torn_cell(row: Row, before: Row, tail: str) -> str | None:
    """The column whose number the file ends with, if it shows fewer decimals than before."""
    for name, value in row.items():
        earlier = before.get(name)
        if not isinstance(value, str) or not isinstance(earlier, str) or not value:
            continue
        if tail.endswith(value) and _decimals(value) < _decimals(earlier):
            return name
    return None


def _decimals(text: str) -> tuple[bool, int]:
    """Whether a number has an exponent, and how many decimals it shows."""
    mantissa, exponent, _ = text.lower().partition("e")
    return bool(exponent), len(mantissa.partition(".")[2])


def _tail(path: Path) -> str:
    encoding = encoding_of(head_of(path)).replace("-sig", "")
    with failures_named(path), open_regular(path) as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        held = file.read()
    if encoding != "utf-8":  # a mark names the order of the bytes, and stands at the start alone
        mark = head_of(path)[: 4 if encoding == "utf-32" else 2]
        held = mark + held.removeprefix(mark)
    return held.decode(encoding, "replace")
