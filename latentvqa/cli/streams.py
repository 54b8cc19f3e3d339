"""Output that nobody reads any more: a closed pipe or terminal ends no work."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any, TextIO, cast

from latentvqa.errors import OutputError


class SteadyStream:
    """A text stream that drops what cannot be written, and remembers why.

    Args:
        stream: what is written to as long as that succeeds.

    Attributes:
        failure: the first error; None where there was none.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or drop it."""
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, or drop it."""
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            self.failure = self.failure or error
            self._give_up(error)

    def _give_up(self, _: OSError) -> None:
        silence(self._stream)


class _WatchedStream(SteadyStream):
    """A text stream that fails as it would, and remembers why."""

    def _give_up(self, error: OSError) -> None:
        raise error


def steady(stream: TextIO) -> TextIO:
    """The stream as one that never fails; its ``failure`` says whether it did."""
    return cast(TextIO, SteadyStream(stream))


def require_written(stream: IO[str]) -> None:
    """Write what waits in a steady stream.

    Raises:
        OSError: if this or what came before it could not be written.
    """
    stream.flush()
    failure = cast(SteadyStream, stream).failure
    if failure is not None:
        raise failure


@contextmanager
def told_stdout() -> Iterator[None]:
    """Write all that waits for stdout at the end of a block, and name a failure of it.

    Raises:
        OutputError: if stdout cannot be written.
        BrokenPipeError: if the reader of our output has left.
    """
    with ExitStack() as stack:
        former = sys.stdout
        if former is None:  # closed from the start: nobody asks for it
            former = stack.enter_context(Path(os.devnull).open("w"))
        watched = _WatchedStream(former)
        stack.enter_context(redirect_stdout(cast(TextIO, watched)))
        try:
            try:
                yield
            finally:
                watched.flush()
        except OSError as error:
            if watched.failure is None or isinstance(error, BrokenPipeError):
                raise
            raise OutputError(
                f"stdout cannot be written, and not all is shown: {watched.failure.strerror}"
            ) from error
        finally:
            if watched.failure is not None:
                silence(former)


@contextmanager
def steady_notices() -> Iterator[None]:
    """Let no notice on stderr end what it is about."""
    former = sys.stderr
    if former is None:
        yield
        return
    sys.stderr = steady(former)
    try:
        yield
    finally:
        sys.stderr = former


def silence(stream: TextIO) -> None:
    """Lead a stream nowhere, so that what is buffered raises no second error at the exit."""
    with suppress(OSError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
