"""Predictions as CSV, JSON lines or the JSON of the VQA challenge, written as they come."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from latentvqa.core.figures import counted
from latentvqa.errors import ConfigError
from latentvqa.outputs import NamedOutput
from latentvqa.report.text import escaped, formula_escaped
from latentvqa.resumable_output import ResumableOutput, RowWriter
from latentvqa.stopping import deferred

if TYPE_CHECKING:
    from latentvqa.engine.prediction.predict import Prediction

COLUMNS = ("image", "question", "answer", "confidence", "error", "note")
# file names need not be text; what is none is shown escaped
_UNENCODABLE = "backslashreplace"


class Format(StrEnum):
    """How predictions are written."""

    csv = "csv"
    jsonl = "jsonl"
    vqa = "vqa"


_SUFFIXES = {".csv": Format.csv, ".jsonl": Format.jsonl, ".json": Format.vqa}


@dataclass(frozen=True)
class RowStyle:
    """What a row of predictions holds.

    Attributes:
        format: of the file.
        has_ids: whether the rows have ids of their own.
        top: answers of a row.
        escapes_formulas: put an apostrophe before cells of a CSV that a spreadsheet
            would compute.
    """

    format: Format
    has_ids: bool = False
    top: int = 1
    escapes_formulas: bool = False

    @property
    def beginning(self) -> str:
        """What stands before the first row."""
        if self.format is not Format.csv:
            return "[\n" if self.format is Format.vqa else ""
        ids = ["id"] if self.has_ids else []
        places = range(2, self.top + 1)
        others = [f"{name}_{place}" for place in places for name in ("answer", "confidence")]
        return _csv_line([*ids, *COLUMNS, *others])

    @property
    def end(self) -> str:
        """What stands after the last row."""
        return "\n]\n" if self.format is Format.vqa else ""

    def row(self, found: Prediction, *, is_first: bool, shown: Callable[[str], str] = str) -> str:
        """A prediction as text.

        Args:
            found: what is written.
            is_first: whether no row stands before it.
            shown: what is done with the texts of a CSV.
        """
        if self.format is Format.csv:
            return self._csv_row(found, shown)
        if self.format is Format.vqa:
            entry = {"question_id": _number(found.asked.id), "answer": found.answer}
            return ("" if is_first else ",\n") + json.dumps(entry, ensure_ascii=False)
        values: dict[str, object] = {"id": found.asked.id} if self.has_ids else {}
        values |= {name: getattr(found, name) for name in COLUMNS}
        if self.top > 1:
            values["others"] = [
                {"answer": answer, "confidence": share} for answer, share in found.others
            ]
        return json.dumps(values, ensure_ascii=False) + "\n"

    def _csv_row(self, found: Prediction, shown: Callable[[str], str]) -> str:
        more: list[str | float | None] = [one for pair in found.others for one in pair]
        more += [None] * (2 * (self.top - 1) - len(more))
        ids = [found.asked.id] if self.has_ids else []
        values = [*ids, *(getattr(found, name) for name in COLUMNS), *more]

        def cell(value: str | float | None) -> str:
            if not isinstance(value, str):
                return "" if value is None else f"{value:.6f}"
            return shown(formula_escaped(value) if self.escapes_formulas else value)

        return _csv_line([cell(value) for value in values])


class PredictionFile:
    """Where predictions go: a file that an option names, or stdout.

    Args:
        output: the file; None for stdout, where control characters are shown as
            escapes and not sent to the terminal.
        style: what a row holds.
        is_resumed: go on with the rows of an earlier work, if there are any.

    Attributes:
        written: rows so far, those of an earlier work included.
    """

    def __init__(
        self, output: NamedOutput | None, style: RowStyle, *, is_resumed: bool = False
    ) -> None:
        self._output, self._style = output, style
        self._parts = (
            None
            if output is None or output.is_stream
            else ResumableOutput(output, is_resumed=is_resumed)
        )
        if is_resumed and self._parts is None:
            raise ConfigError("--resume goes on with the rows of a file: name it by --out")
        self._asked = ""
        self.written = 0

    def require_writable(self, inputs: list[Path]) -> None:
        """Refuse a file that must not or cannot be written.

        Raises:
            OutputError: if it is there and to be kept, an input, or not writable.
        """
        if self._parts is not None:
            self._parts.require_writable(inputs)
        elif self._output is not None:
            self._output.require_writable(inputs)

    def find_earlier(self, asked: str) -> int:
        """How many rows an earlier work has written.

        Args:
            asked: tells this work from any other, as a hash of all that rows depend on.

        Raises:
            OutputError: if there are rows that this work cannot go on with.
        """
        self._asked = asked
        if self._parts is not None:
            self.written = self._parts.progress(asked).rows
        return self.written

    def earlier_rows(self) -> Path | None:
        """The file with the rows of an earlier work; None where there are none."""
        return self._parts.part if self._parts is not None and self.written else None

    @contextmanager
    def open(self) -> Iterator[Callable[[Prediction], None]]:
        """Give a function that writes one prediction.

        A fault leaves the rows so far in a file beside the one that they were to
        become.

        Raises:
            OutputError: if the file cannot be written.
        """
        if self._output is None:
            yield self._to_stdout()
        elif self._parts is None:
            with self._output.draft() as file:
                yield self._to_stream(lambda text: file.write(_encoded(text)))
                file.write(_encoded(self._style.end))
        else:
            with self._parts.open(self._asked) as rows:
                yield self._to_parts(rows)
                rows.write(_encoded(self._style.end), is_row=False)

    def whereabouts(self) -> str:
        """Where the rows of a work that stopped are, as the end of a sentence."""
        kept = 0 if self._parts is None else self._parts.kept
        written = counted(self.written, "row")
        if self._parts is None or not kept:
            return written
        how_many = "" if kept == self.written else f"{kept:,} of them "
        return (
            f"{written}, {how_many}kept in {self._parts.part}; the same command with "
            "--resume goes on"
        )

    def _to_stdout(self) -> Callable[[Prediction], None]:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors=_UNENCODABLE)
        # a reader of a pipe may pause: a signal is heard all the same
        return self._to_stream(sys.stdout.write, escaped)

    def _to_stream(
        self, send: Callable[[str], object], shown: Callable[[str], str] = str
    ) -> Callable[[Prediction], None]:
        send(self._style.beginning)

        def write(found: Prediction) -> None:
            send(self._style.row(found, is_first=self.written == 0, shown=shown))
            self.written += 1

        return write

    def _to_parts(self, rows: RowWriter) -> Callable[[Prediction], None]:
        if not rows.rows:
            rows.write(_encoded(self._style.beginning), is_row=False)

        def write(found: Prediction) -> None:
            # a signal leaves a row whole and counted, or not there
            with deferred():
                rows.write(_encoded(self._style.row(found, is_first=rows.rows == 0)))
                self.written = rows.rows

        return write


def format_of(path: Path | None, wanted: Format | None) -> Format:
    """The format that an option names, or the name of the file.

    Raises:
        ConfigError: if the suffix says another format, or none.
    """
    if path is None:
        return wanted or Format.csv
    known = _SUFFIXES.get(path.suffix.lower())
    if known is None and (wanted is None or path.suffix):
        raise ConfigError(f"--out {path}: the name must end in .csv, .jsonl or .json")
    if wanted is not None and known not in (None, wanted):
        raise ConfigError(f"--out {path}: the name says {known}, and --format {wanted}")
    return wanted or known or Format.csv


def _csv_line(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", _UNENCODABLE)


def _number(text: str) -> int | str:
    """An id as the VQA challenge has it, a number; others stay text."""
    return int(text) if text.isascii() and text.isdigit() else text
