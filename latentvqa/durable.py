"""Writes that survive a kill: synced to the disk, replaced whole or not at all.

What is unfinished lies beside its place under a name that nobody can foretell,
made by us alone, so that no link planted there is written through.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
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
    with naming(path), replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that takes its place at the end; after a fault all is as it was.

    A signal waits until it has.
    """
    with deferred():
        with unfinished(path) as draft:
            yield draft.file
            write_synced(draft.file, b"")
            draft.named().replace(path)
        sync_folder(path.parent)


class Unfinished:
    """A file that is being written and has no name where the system can do without.

    What has no name is gone when its process is.

    Args:
        path: what it is to become.

    Attributes:
        file: takes the bytes.
        path: its name, if it has one.
    """

    def __init__(self, path: Path) -> None:
        self.path = unfinished_name(path)
        nameless = _nameless(path.parent)
        self._is_named = nameless is None
        self.file = create_file(self.path) if nameless is None else os.fdopen(nameless, "wb")

    def named(self) -> Path:
        """Give it a name that is new; to be called before it is closed."""
        if not self._is_named:
            anywhere = os.open("/", os.O_RDONLY)  # makes os.link follow the link of /proc
            try:
                name = f"/proc/self/fd/{self.file.fileno()}"
                os.link(name, self.path, src_dir_fd=anywhere, follow_symlinks=True)
            finally:
                os.close(anywhere)
            self._is_named = True
        return self.path


@contextmanager
def unfinished(path: Path) -> Iterator[Unfinished]:
    """A file beside a path that goes at the end, unless it has another name by then."""
    draft = Unfinished(path)
    try:
        yield draft
    finally:
        with suppress(OSError):  # what could not be written was told
            draft.file.close()
        draft.path.unlink(missing_ok=True)


def create_file(path: Path) -> BinaryIO:
    """Open a file that is not there yet, not even as a link; the umask says who may read it."""
    return open(path, "xb", opener=_never_through_a_link)


def append_file(path: Path) -> BinaryIO:
    """Open a file to read and to write at its end, made if missing; a link is never followed.

    Raises:
        OSError: if it cannot be written, is a link, or is no file.
    """
    return open(path, "a+b", opener=_regular_only)


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


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """Name a place in errors of the system that name none, as those of a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(place)
        raise


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder last; quietly nothing where that is impossible."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _nameless(folder: Path) -> int | None:
    """A descriptor of a new file without a name; None where there is no such thing."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    except OSError:
        return None


def _never_through_a_link(name: str, flags: int) -> int:
    try:
        return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            error.strerror = "is a link, and nothing is written through one: remove it"
        raise


def _regular_only(name: str, flags: int) -> int:
    # a pipe must not be waited for
    descriptor = _never_through_a_link(name, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", name)
    return descriptor
