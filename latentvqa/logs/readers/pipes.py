"""A log that comes through a pipe, which can be read once, and what is no file at all.

Readers open a log several times: what comes through a pipe is kept in a file meanwhile.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from latentvqa.errors import HistoryError
from latentvqa.logs.readers.source import failures_named

MOST_BYTES = 1 << 30
_CHUNK = 1 << 20


@contextmanager
def as_file(path: Path) -> Iterator[Path]:
    """The path itself, or a file with what comes through the pipe at it.

    Raises:
        HistoryError: if it is a device or a socket, or a pipe that nobody writes to.
    """
    with failures_named(path):
        mode = path.stat().st_mode if path.exists() else stat.S_IFREG
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        yield path
        return
    if not stat.S_ISFIFO(mode):
        raise HistoryError(f"{path} is a device or a socket: give a log, or a folder with one")
    with TemporaryDirectory(prefix="latentvqa-") as folder:
        copy = Path(folder) / path.name
        with failures_named(path):
            _save(path, copy)
        try:
            yield copy
        except HistoryError as error:
            raise HistoryError(str(error).replace(str(copy), str(path))) from error


def _save(pipe: Path, copy: Path) -> None:
    """Write what comes through a pipe into a file, to its end."""
    # opening does not wait for a writer, and reading without one ends at once
    source = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    size = 0
    try:
        with copy.open("wb") as file:
            while chunk := _chunk(source):
                size += file.write(chunk)
                if size > MOST_BYTES:
                    raise HistoryError(f"{pipe} brings more than {MOST_BYTES >> 20} MiB: no log")
    finally:
        os.close(source)
    if not size:
        raise HistoryError(f"{pipe} is a pipe that brings nothing: give a log")


def _chunk(source: int) -> bytes:
    """The next bytes of a pipe, waited for as long as it has a writer."""
    while True:
        try:
            return os.read(source, _CHUNK)
        except BlockingIOError:
            select.select([source], [], [])
