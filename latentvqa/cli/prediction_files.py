"""Predictions as CSV or JSON lines, written as they come."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from latentvqa.errors import ConfigError, DataError

if TYPE_CHECKING:
    from latentvqa.engine.prediction.predict import Prediction

COLUMNS = ("image", "question", "answer", "confidence", "error")
# file names need not be text; what is none is shown escaped
_UNENCODABLE = "backslashreplace"


@contextmanager
def open_writer(out: Path | None) -> Iterator[Callable[[Prediction], None]]:
    """Open ``out`` (or stdout) and give a function that writes one prediction.

    Raises:
        ConfigError: if the suffix is neither .csv nor .jsonl.
        DataError: if the file cannot be written.
    """
    if out is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=_UNENCODABLE)
        yield _csv_writer(sys.stdout)
        return
    if out.suffix.lower() not in (".csv", ".jsonl"):
        raise ConfigError(f"--out {out}: the name must end in .csv or .jsonl")
    try:
        with out.open("w", encoding="utf-8", errors=_UNENCODABLE, newline="") as file:
            yield _csv_writer(file) if out.suffix.lower() == ".csv" else _json_writer(file)
    except OSError as error:
        raise DataError(f"--out {out}: cannot be written: {error}") from error


def _csv_writer(file: TextIO) -> Callable[[Prediction], None]:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)

    def write(prediction: Prediction) -> None:
        confidence = "" if prediction.confidence is None else f"{prediction.confidence:.6f}"
        writer.writerow(
            [prediction.image, prediction.question, prediction.answer, confidence, prediction.error]
        )

    return write


def _json_writer(file: TextIO) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        values = {name: getattr(prediction, name) for name in COLUMNS}
        file.write(json.dumps(values, ensure_ascii=False) + "\n")

    return write
