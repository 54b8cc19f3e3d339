"""Output that nobody reads any more: a closed pipe or terminal ends no work."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


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
            silence(self._stream)


def steady(stream: TextIO) -> TextIO:
    """The stream as one that never fails; its ``failure`` says whether it did."""
    return cast(TextIO, SteadyStream(stream))


@contextmanager
def steady_notices() -> Iterator[None]:
    """Let no notice on stderr end what it is about."""
    former = sys.stderr
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
