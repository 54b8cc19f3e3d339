"""Predictions as CSV or JSON lines, written as they come."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from latentvqa.errors import ConfigError
from latentvqa.outputs import Draft, NamedOutput
from latentvqa.report.text import escaped, formula_escaped
from latentvqa.stopping import deferred

if TYPE_CHECKING:
    from latentvqa.engine.prediction.predict import Prediction

COLUMNS = ("image", "question", "answer", "confidence", "error", "note")
# file names need not be text; what is none is shown escaped
_UNENCODABLE = "backslashreplace"


class PredictionFile:
    """Where predictions go: a file that an option names, or stdout.

    Args:
        output: the file; None for stdout, where control characters are shown as
            escapes and not sent to the terminal.
        escapes_formulas: put an apostrophe before cells of a CSV that a spreadsheet
            would compute.
        top: answers of a row.

    Attributes:
        written: rows so far.
        draft: what is written to the file, once it is open.
    """

    def __init__(
        self, output: NamedOutput | None, *, escapes_formulas: bool = False, top: int = 1
    ) -> None:
        self._output, self._escapes_formulas, self._top = output, escapes_formulas, top
        self.written = 0
        self.draft: Draft | None = None

    def require_writable(self, inputs: list[Path]) -> None:
        """Refuse a file that must not or cannot be written.

        Raises:
            ConfigError: if the suffix is neither .csv nor .jsonl.
            OutputError: if it is there and to be kept, an input, or not writable.
        """
        if self._output is None:
            return
        path = self._output.path
        if path.suffix.lower() not in (".csv", ".jsonl"):
            raise ConfigError(f"--out {path}: the name must end in .csv or .jsonl")
        self._output.require_writable(inputs)

    @contextmanager
    def open(self) -> Iterator[Callable[[Prediction], None]]:
        """Give a function that writes one prediction.

        A fault leaves the rows so far in a file beside the one that they were to
        become.

        Raises:
            OutputError: if the file cannot be written.
        """
        if self._output is None:
            if hasattr(sys.stdout, "reconfigure"):
                sys.stdout.reconfigure(errors=_UNENCODABLE)
            # a reader of a pipe may pause: a signal is heard all the same
            yield self._counted(
                _csv_writer(sys.stdout, self._escapes_formulas, self._top, escaped), nullcontext
            )
            return
        is_csv = self._output.path.suffix.lower() == ".csv"
        with self._output.draft() as draft:
            self.draft = draft
            file = io.TextIOWrapper(draft.file, encoding="utf-8", errors=_UNENCODABLE, newline="")
            try:
                write = (
                    _csv_writer(file, self._escapes_formulas, self._top)
                    if is_csv
                    else _json_writer(file, has_others=self._top > 1)
                )
                # a signal leaves a row whole and counted, or not there
                yield self._counted(write, deferred)
            finally:
                draft.is_kept = self.written > 0
                file.flush()
                file.detach()

    def whereabouts(self) -> str:
        """Where the rows of a work that stopped are, as the end of a sentence."""
        kept = None if self.draft is None else self.draft.kept
        return f"{self.written} rows" if kept is None else f"{self.written} rows, kept in {kept}"

    def _counted(
        self, write: Callable[[Prediction], None], whole: Callable[[], AbstractContextManager[None]]
    ) -> Callable[[Prediction], None]:
        def counting(prediction: Prediction) -> None:
            with whole():
                write(prediction)
                self.written += 1

        return counting


def _csv_writer(
    file: TextIO, escapes_formulas: bool, top: int, shown: Callable[[str], str] = str
) -> Callable[[Prediction], None]:
    writer = csv.writer(file)
    others = [f"{name}_{place}" for place in range(2, top + 1) for name in ("answer", "confidence")]
    writer.writerow([*COLUMNS, *others])

    def cell(value: str | float | None) -> str:
        if not isinstance(value, str):
            return "" if value is None else f"{value:.6f}"
        return shown(formula_escaped(value) if escapes_formulas else value)

    def write(prediction: Prediction) -> None:
        more: list[str | float | None] = [one for pair in prediction.others for one in pair]
        more += [None] * (len(others) - len(more))
        writer.writerow([cell(getattr(prediction, name)) for name in COLUMNS] + [*map(cell, more)])

    return write


def _json_writer(file: TextIO, *, has_others: bool) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        values = {name: getattr(prediction, name) for name in COLUMNS}
        if has_others:
            values["others"] = [
                {"answer": answer, "confidence": share} for answer, share in prediction.others
            ]
        file.write(json.dumps(values, ensure_ascii=False) + "\n")

    return write
