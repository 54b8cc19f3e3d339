"""Processes that decode images, so that a batch is made on other cores than the model's.

They share nothing with this process but two pipes: no memory, no semaphore, no
group of signals. Their end is an end of the pipe, so that nobody waits for the dead.
"""

from __future__ import annotations

import pickle
import queue
import signal
import subprocess
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.decoding import ImageTransform
from latentvqa.errors import DataError, LoaderError
from latentvqa.python_process import python_command, python_environment

_WORKER = "latentvqa.data.decoding_worker"
_PATIENCE_SECONDS = 5.0  # with a killed process that waits for a dead disk
# a decoder computes in one thread; libraries would start one per core
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_ADVICE = (
    "Fewer loader processes need less memory: lower loader.workers, or set it to 0 to decode in "
    "threads of the main process."
)


class DecodingProcesses:
    """Some processes, started when the first image is asked for.

    Args:
        count: of the processes.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._all: list[subprocess.Popen[bytes]] = []
        self._idle: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
        self._starting = threading.Lock()
        weakref.finalize(self, _end, self._all)

    def decode(self, paths: Sequence[Path], transform: ImageTransform) -> NDArray[np.uint8]:
        """Decode images in one of the processes; several threads may ask at once.

        Args:
            paths: at least one.
            transform: what makes an array of a decoded image.

        Returns:
            Their pixels, shape ``(n, 3, size, size)``.

        Raises:
            DataError: if an image cannot be decoded.
            LoaderError: if the processes cannot start, or one has ended.
        """
        with self._starting:
            if not self._all:
                self._start()
        process = self._idle.get()
        try:
            reply = self._exchange(process, (transform, list(paths)))
        finally:
            self._idle.put(process)
        if isinstance(reply, str):
            raise DataError(reply)
        return reply

    def processes(self) -> list[int]:
        """Their ids; none before the first image."""
        return [process.pid for process in self._all]

    def _start(self) -> None:
        try:
            for _ in range(self._count):
                self._all.append(
                    subprocess.Popen(
                        python_command(_WORKER),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        env={**python_environment(), **_ONE_THREAD},
                        start_new_session=True,  # signals to our group are for us alone
                    )
                )
                self._idle.put(self._all[-1])
        except OSError as error:
            _end(self._all)
            raise LoaderError(
                f"loader.workers = {self._count}: the processes cannot be started "
                f"({error.strerror}). {_ADVICE}"
            ) from error

    def _exchange(
        self, process: subprocess.Popen[bytes], request: object
    ) -> NDArray[np.uint8] | str:
        """Pixels, or what is wrong with an image."""
        try:
            pickle.dump(request, cast(IO[bytes], process.stdin))
            cast(IO[bytes], process.stdin).flush()
            reply = pickle.load(cast(IO[bytes], process.stdout))
            if isinstance(reply, str):
                return reply
            return _read_pixels(cast(BufferedReader, process.stdout), reply)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise LoaderError(
                f"loader.workers = {self._count}: {_cause(process)}. {_ADVICE}"
            ) from error


def _read_pixels(stream: BufferedReader, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels = np.empty(shape, np.uint8)
    if stream.readinto(pixels.data) < pixels.nbytes:
        raise EOFError
    return pixels


def _cause(process: subprocess.Popen[bytes]) -> str:
    """How a process ended that left no reply."""
    process.kill()
    code = process.wait()
    name = f"the loader process {process.pid}"
    if code >= 0:
        return f"{name} ended with exit code {code}"
    hint = "; memory may have run out" if code == -signal.SIGKILL else ""
    return f"{name} was ended by {signal.Signals(-code).name}{hint}"


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        with suppress(OSError, subprocess.TimeoutExpired):
            process.wait(_PATIENCE_SECONDS)
            process.communicate()  # closes the pipes
    processes.clear()
