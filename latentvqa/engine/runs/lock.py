"""One writer a run folder: whoever comes second is refused, and told who is first."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from latentvqa.durable import remove_unfinished
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runtime.file_lock import HeldLock, LockedError, NoLocksError, sole_lock
from latentvqa.errors import CheckpointError

Notice = Callable[[str], None]


@contextmanager
def sole_writer(run: Path, notice: Notice) -> Iterator[HeldLock | None]:
    """Hold a run folder while it is written into.

    Args:
        run: the folder; it is there.
        notice: called with what makes the hold weaker.

    Yields:
        The lock; None where the file system keeps none.

    Raises:
        CheckpointError: if another process writes into it, nobody can, or everybody may.
    """
    with ExitStack() as stack:
        lock: HeldLock | None = None
        try:
            lock = stack.enter_context(sole_lock(RunFolder(run).lock))
        except LockedError as error:
            raise CheckpointError(
                f"{run}: is in use by {error}. Wait for its end, or name another folder."
            ) from error
        except NoLocksError as error:
            notice(f"warning: {error}: nothing keeps two processes from writing into this one")
        except OSError as error:
            raise CheckpointError(f"{run}: cannot be written: {error.strerror}") from error
        _refuse_if_open_to_all(run, lock, notice)
        if RunFolder(run).checkpoints.is_dir():
            for folder in (run, *RunFolder(run).evaluations.glob("*/")):
                remove_unfinished(folder)
        yield lock


@contextmanager
def writer_if_possible(run: Path, notice: Notice) -> Iterator[bool]:
    """The same for who can do without: gives whether the folder can be written.

    Raises:
        CheckpointError: if another process writes into it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(sole_writer(run, notice))
        except CheckpointError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            if run.is_dir():  # else what is missing is told by who needs it
                notice(f"warning: {error}: what is found is shown and not saved")
            yield False
        else:
            yield True


def _refuse_if_open_to_all(run: Path, lock: HeldLock | None, notice: Notice) -> None:
    """Refuse a folder in which everybody may plant files, where modes mean anything."""
    mode = run.stat().st_mode
    if not mode & stat.S_IWOTH or mode & stat.S_ISVTX:
        return
    told = (
        f"{run}: everybody on this machine may replace what is in it; chmod o-w {run} makes it "
        "yours alone"
    )
    if lock is not None and _can_be_closed(lock.descriptor):
        raise CheckpointError(told) from PermissionError(told)
    notice(f"warning: {told}")


def _can_be_closed(lock: int) -> bool:
    """Whether the file system keeps modes; some show the same one for every file."""
    try:
        os.fchmod(lock, stat.S_IMODE(os.fstat(lock).st_mode) & ~stat.S_IWOTH)
    except OSError:
        return False
    return not os.fstat(lock).st_mode & stat.S_IWOTH
