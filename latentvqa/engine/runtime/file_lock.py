"""A lock that dies with its holders: the system's own, on an open file.

Processes on one machine exclude each other with it, and on several where the
file system they share keeps locks (NFS does). A child that inherits the
descriptor holds the lock as well.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from latentvqa.errors import CheckpointError

_WAIT_SECONDS = 0.5


@contextmanager
def held_lock(
    path: Path, on_wait: Callable[[str], None] | None, poll: Callable[[], None]
) -> Iterator[int | None]:
    """Hold a lock; the file stays behind.

    Args:
        path: the file; made if missing.
        on_wait: called once with who holds it, before waiting for them; None does not
            wait.
        poll: called while waiting; may raise to stop.

    Yields:
        The open descriptor, or None if another process holds the lock.

    Raises:
        CheckpointError: if the file system has no locks.
    """
    with path.open("a+b") as file:
        is_announced = False
        while not _try(file.fileno(), path, exclusive=True):
            if on_wait is None:
                yield None
                return
            if not is_announced:
                on_wait(_holder(path))
                is_announced = True
            poll()
            time.sleep(_WAIT_SECONDS)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        file.flush()
        yield file.fileno()


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock now; makes no file."""
    try:
        with path.open("rb") as file:
            return not _try(file.fileno(), path, exclusive=False)
    except FileNotFoundError:
        return False


def _try(descriptor: int, path: Path, *, exclusive: bool) -> bool:
    try:
        import fcntl  # noqa: PLC0415 - there is none on Windows
    except ImportError as error:
        raise CheckpointError(f"{path}: this system has no file locks of POSIX") from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise CheckpointError(
            f"{path}: this file system keeps no locks ({error.strerror}); put the folder on another"
        ) from error
    return True


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() or "another process"
