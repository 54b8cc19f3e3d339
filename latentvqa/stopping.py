"""Signals as requests to stop: the one place of a process that hears them.

A signal raises :class:`Interrupted` in the main thread, whatever runs there. In
:func:`deferred` it waits for :func:`poll` or for the end of the block, so that
nothing is left half done. A second Ctrl-C quits without waiting.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from latentvqa.errors import LatentVQAError

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
# what a person, a system, a closed terminal and a job scheduler ask with; not all systems have all
SIGNALS = tuple(signal.Signals[name] for name in _NAMES if hasattr(signal, name))
_AGAIN_SECONDS = 0.1


class Interrupted(BaseException):
    """A signal asked the process to stop. No error: what catches errors lets it pass.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number

    @property
    def exit_code(self) -> int:
        """As a shell has it: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP."""
        return exit_code_of(self.number)


def exit_code_of(number: int) -> int:
    """Exit code of a process that a signal stopped."""
    return 128 + number


class _Hearing:
    """What was heard since this process began to listen."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.first: int | None = None
        self.deferring = 0  # blocks that defer, one in the other
        self.before_quitting: list[Callable[[], None]] = []


_hearing: _Hearing | None = None


@contextmanager
def heard_signals() -> Iterator[None]:
    """Hear signals in a block; the former handlers come back at its end.

    A block within such a block changes nothing. Signals that the process was told to
    ignore, as by ``nohup``, stay ignored. Outside the main thread the host decides
    about signals.
    """
    global _hearing  # noqa: PLW0603 - handlers belong to the process, too
    if _hearing is not None or not _is_main_thread():
        yield
        return
    _hearing = _Hearing()
    former = {number: signal.getsignal(number) for number in SIGNALS}
    ours = [number for number, how in former.items() if how not in (signal.SIG_IGN, None)]
    former_hook, sys.unraisablehook = sys.unraisablehook, _raise_again
    try:
        for number in ours:
            signal.signal(number, _hear)
        yield
    finally:
        for number in ours:
            signal.signal(number, former[number])
        sys.unraisablehook = former_hook
        _hearing = None


@contextmanager
def deferred() -> Iterator[None]:
    """Let a block end, or reach its next :func:`poll`, before a signal stops it.

    Raises:
        Interrupted: at its end, if a signal came in it.
    """
    hearing = _hearing
    if hearing is None or not _is_main_thread():
        yield
        return
    before = hearing.first
    hearing.deferring += 1
    try:
        yield
    finally:
        hearing.deferring -= 1
    if not hearing.deferring and hearing.first is not None and before is None:
        raise Interrupted(hearing.first)


def poll() -> None:
    """Raise :class:`Interrupted` if a signal has come."""
    number = requested()
    if number is not None:
        raise Interrupted(number)


def poll_if_lost() -> None:
    """The same where nothing defers it: something took :class:`Interrupted` for an error."""
    if _hearing is not None and not _hearing.deferring and _is_main_thread():
        poll()


@contextmanager
def undisguised() -> Iterator[None]:
    """Raise :class:`Interrupted` for what foreign code made of it.

    Extensions that are interrupted while they call Python may raise an error of their
    own instead. Errors of the system and our own are never taken for one.
    """
    try:
        yield
    except (LatentVQAError, OSError):
        raise
    except Exception as error:
        number = requested()
        if number is None:
            raise
        raise Interrupted(number) from error


def requested() -> int | None:
    """The first signal that has come, or None."""
    return None if _hearing is None else _hearing.first


@contextmanager
def before_quitting(action: Callable[[], None]) -> Iterator[None]:
    """Have an action done in a block before a second Ctrl-C quits."""
    actions = [] if _hearing is None else _hearing.before_quitting
    actions.append(action)
    try:
        yield
    finally:
        actions.remove(action)


@contextmanager
def usual_interrupts() -> Iterator[None]:
    """Hear signals as Python code expects them: KeyboardInterrupt, or SystemExit."""
    try:
        with heard_signals(), undisguised():
            yield
    except Interrupted as interrupted:
        if interrupted.number == signal.SIGINT:
            raise KeyboardInterrupt from interrupted
        raise SystemExit(interrupted.exit_code) from interrupted


def leave(code: int) -> NoReturn:
    """End the process now, with what it has printed.

    No signal can change the exit code any more, and no thread that waits for a dead
    disk keeps the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # closed from the start
            continue
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


def _hear(number: int, frame: FrameType | None) -> None:
    hearing = _hearing
    if hearing is None or os.getpid() != hearing.process:
        # a copy of the process inherits the handler, and no more than that
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if hearing.first is None:
        hearing.first = number
        if not hearing.deferring:
            raise Interrupted(number)
    elif number == signal.SIGINT:
        for action in hearing.before_quitting:
            action()
        os._exit(exit_code_of(number))


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Repeat a signal that came in a finaliser, where exceptions have no effect."""
    if _hearing is None or not isinstance(lost.exc_value, Interrupted):
        sys.__unraisablehook__(lost)
        return
    _hearing.first = None
    threading.Timer(_AGAIN_SECONDS, signal.raise_signal, [lost.exc_value.number]).start()


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
