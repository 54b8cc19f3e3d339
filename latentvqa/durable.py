"""Writes that survive a kill: synced to the disk, replaced whole or not at all.

What is unfinished lies beside its place under a name that nobody can foretell,
made by us alone, so that no link planted there is written through.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from latentvqa.stopping import deferred

UNFINISHED = ".tmp"  # ends the name of what is not finished; a dot begins it
_UNFINISHED_NAME = re.compile(rf"\..*\.[0-9a-f]{{12}}{re.escape(UNFINISHED)}", re.DOTALL)
_LONGEST = 200  # bytes of a name that its unfinished one repeats; a name has room for 255


def write_synced(file: BinaryIO, content: bytes) -> None:
    """Write and wait until the disk has it."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Put a whole file in the place of another, never half of it; a link is replaced itself."""
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that takes its place at the end; after a fault all is as it was.

    A signal waits until it has.
    """
    temporary = unfinished_name(path)
    with deferred():
        try:
            with create_file(temporary) as file:
                yield file
                write_synced(file, b"")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def create_file(path: Path) -> BinaryIO:
    """Open a file that is not there yet, not even as a link; the umask says who may read it."""
    return open(path, "xb", opener=_never_through_a_link)


def unfinished_name(path: Path) -> Path:
    """A new name beside a path, for what is to become it."""
    known = os.fsdecode(os.fsencode(path.name)[:_LONGEST])
    return path.with_name(f".{known}.{secrets.token_hex(6)}{UNFINISHED}")


def is_unfinished(path: Path) -> bool:
    """Whether a name is one that :func:`unfinished_name` gives."""
    return _UNFINISHED_NAME.fullmatch(path.name) is not None


def remove_unfinished(folder: Path) -> None:
    """Remove what a kill left half written; for who is alone in a folder."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if is_unfinished(path) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif is_unfinished(path):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder last; quietly nothing where that is impossible."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _never_through_a_link(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
