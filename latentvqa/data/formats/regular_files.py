"""Open a file for reading only if it is one: a pipe would be waited on for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotAFileError(OSError):
    """What stands under a name is no regular file."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, links followed.

    Raises:
        NotAFileError: if it is a pipe, a socket, a device or a folder; nothing is opened then.
        OSError: if it is not there or cannot be read.
    """
    _check(os.stat(path).st_mode)  # noqa: PTH116 - a device must not even be opened
    # a pipe that takes the file's place meanwhile does not block either
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _check(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotAFileError(f"is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file")
