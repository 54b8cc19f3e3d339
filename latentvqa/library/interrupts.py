"""Signals as Python code expects them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from latentvqa.engine.runtime.signals import EXIT_CODES, Interrupted


@contextmanager
def usual_interrupts() -> Iterator[None]:
    """Raise Ctrl-C as KeyboardInterrupt and SIGTERM as SystemExit."""
    try:
        yield
    except Interrupted as interrupted:
        if interrupted.exit_code == EXIT_CODES[signal.SIGINT]:
            raise KeyboardInterrupt from interrupted
        raise SystemExit(interrupted.exit_code) from interrupted
