"""Writes that survive a kill: synced to the disk, replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from latentvqa.stopping import deferred

MOST_LINKS = 40  # that are followed from one name to the next


def write_synced(file: BinaryIO, content: bytes) -> None:
    """Write and wait until the disk has it."""
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Put a whole file in the place of another, never half of it.

    A link keeps standing and its target is replaced. What is no regular file (a
    device, a pipe, a descriptor such as ``/dev/stdout``) is written into.
    """
    descriptor = _descriptor_of(path)
    if descriptor is not None or not _is_replaceable(path):
        with open(path if descriptor is None else os.dup(descriptor), "wb") as stream:  # noqa: PTH123
            stream.write(content)
        return
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.tmp")
    with deferred():
        try:
            with temporary.open("wb") as file:
                write_synced(file, content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder last; quietly nothing where that is impossible."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_replaceable(path: Path) -> bool:
    """Whether a path leads to a regular file or to none."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True


def _descriptor_of(path: Path) -> int | None:
    """The open descriptor of this process that a path stands for, or None."""
    folders = (Path("/dev/fd"), Path(f"/proc/{os.getpid()}/fd"))
    for _ in range(MOST_LINKS):
        folder = path.parent.resolve()
        if path.name.isdigit() and folder in folders:
            return int(path.name)
        path = folder / path.name
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None
