"""Read a file only if it is one: a pipe would be waited on for ever, a device has no end.

Whatever a user names, or a folder of the user's holds, is read through here.
"""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import TextIO

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotAFileError(OSError):
    """What stands under a name is no regular file."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.strerror = fault  # where messages look for the cause


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file, links followed.

    Raises:
        NotAFileError: if it is a pipe, a socket, a device or a folder; nothing is opened then.
        OSError: if it is not there or cannot be read.
        ValueError: if no file can have such a name.
    """
    _check(os.stat(path).st_mode)  # noqa: PTH116 - a device must not even be opened
    # a pipe that takes the file's place meanwhile does not block either; the number is
    # the file's alone from here on: who closed it, too, would close what has it next
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    try:
        _check(os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def open_regular_text(
    path: Path, encoding: str = "utf-8", errors: str = "strict", newline: str | None = None
) -> TextIO:
    """The same for text; faults as those of :func:`open_regular`."""
    return io.TextIOWrapper(open_regular(path), encoding, errors, newline)


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file; faults as those of :func:`open_regular`."""
    with open_regular(path) as file:
        return file.read()


def read_regular_text(path: Path, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The text of a regular file; faults as those of :func:`open_regular`, and of the encoding."""
    with open_regular_text(path, encoding, errors) as file:
        return file.read()


def _check(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotAFileError(f"is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file")
