"""A lock that dies with its holders: the system's own, on an open file.

Processes on one machine exclude each other with it, and on several where the
file system they share keeps locks (NFS does). What stands in the file is for
people; the kernel alone knows who holds it. A planted link is never followed.
"""

from __future__ import annotations

import os
import shlex
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from latentvqa.errors import CheckpointError
from latentvqa.regular_files import open_regular, read_regular_text

_WAIT_SECONDS = 0.5
_LONGEST_COMMAND = 200  # characters that a message shows
_MOST_TRIES = 100  # at a lock that its holders remove as they go


class LockedError(CheckpointError):
    """Another process holds a lock; the message names it."""


class NoLocksError(CheckpointError):
    """The file system or the system keeps no locks."""


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds.

    Attributes:
        descriptor: of its file.
        left: what a process wrote that was killed while it held the lock; else
            nothing.
    """

    descriptor: int
    left: str

    def add(self, text: str) -> None:
        """Write something down that is left behind if this process is killed."""
        _write(self.descriptor, text, os.fstat(self.descriptor).st_size)


@contextmanager
def held_lock(
    path: Path, on_wait: Callable[[str], None] | None, poll: Callable[[], None]
) -> Iterator[int | None]:
    """Hold a lock; the file stays behind. A child that inherits the descriptor holds it too.

    Args:
        path: the file; made if missing.
        on_wait: called once with who holds it, before waiting for them; None does not
            wait.
        poll: called while waiting; may raise to stop.

    Yields:
        The open descriptor, or None if another process holds the lock.

    Raises:
        CheckpointError: if the file system has no locks, or a link is in its place.
    """
    descriptor = _opened(path)
    try:
        is_announced = False
        while not _try(descriptor, path, exclusive=True):
            if on_wait is None:
                yield None
                return
            if not is_announced:
                on_wait(holder_of(path))
                is_announced = True
            poll()
            time.sleep(_WAIT_SECONDS)
        _sign(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def sole_lock(path: Path) -> Iterator[HeldLock]:
    """Hold a lock that is tried once, and remove its file at the end.

    Forked children do not hold it: it is free as soon as this process has ended.

    Raises:
        LockedError: if another process holds it.
        NoLocksError: if the file system keeps none.
        CheckpointError: if a link is in its place.
        OSError: if the file cannot be made.
    """
    descriptor = _opened_and_locked(path)
    _held.add(descriptor)
    try:
        left = os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")
        _sign(descriptor)
        yield HeldLock(descriptor, left)
    finally:
        if _is_at(descriptor, path):
            with suppress(OSError):
                path.unlink()
        _held.discard(descriptor)
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock now; makes no file."""
    try:
        with open_regular(path) as file:
            return not _try(file.fileno(), path, exclusive=False)
    except FileNotFoundError:
        return False


def holder_of(path: Path) -> str:
    """Who holds a lock, by its file: process, host, since when, and its command."""
    try:
        lines = read_regular_text(path, errors="replace").splitlines()
    except OSError:
        lines = []
    return lines[0] if lines else "another process"


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        if path.is_symlink():
            raise CheckpointError(
                f"{path}: is a link, and a lock is none: remove it if you know whose it is"
            ) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CheckpointError(f"{path}: is no regular file, and a lock is one: remove it")
    return descriptor


def _opened_and_locked(path: Path) -> int:
    """The descriptor of a lock whose file is still in its place."""
    for _ in range(_MOST_TRIES):
        descriptor = _opened(path)
        try:
            is_free = _try(descriptor, path, exclusive=True)
        except BaseException:
            os.close(descriptor)
            raise
        if is_free and _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)
        if not is_free:
            raise LockedError(holder_of(path))
    raise LockedError("other processes, one after the other,")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _sign(descriptor: int) -> None:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_LONGEST_COMMAND]
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    text = f"process {os.getpid()} on {socket.gethostname()} since {since} ({command})"
    os.ftruncate(descriptor, 0)
    _write(descriptor, text, 0)


def _write(descriptor: int, text: str, place: int) -> None:
    with suppress(OSError):  # a disk that is full keeps locks all the same
        os.pwrite(descriptor, text.encode("utf-8", "replace"), place)


def _try(descriptor: int, path: Path, *, exclusive: bool) -> bool:
    try:
        import fcntl  # noqa: PLC0415 - there is none on Windows
    except ImportError as error:
        raise NoLocksError(f"{path}: this system has no file locks of POSIX") from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise NoLocksError(
            f"{path}: this file system keeps no locks ({error.strerror}); put the folder on another"
        ) from error
    return True


_held: set[int] = set()


def _let_go() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
