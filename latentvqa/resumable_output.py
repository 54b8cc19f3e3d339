"""A named output that several works may write, one after the other: nothing lost or twice.

What is written so far lies beside its place, in ``FILE.part``; ``FILE.part.json``
says how much of it counts, with its SHA-256. What a kill left beyond that is written anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # a system without it
    fcntl = None  # type: ignore[assignment]

from latentvqa.core.formats import newer_format
from latentvqa.core.summed_text import has_right_sum, with_sum
from latentvqa.durable import append_file, create_file, replace_file, sync_folder
from latentvqa.errors import OutputError
from latentvqa.outputs import NamedOutput
from latentvqa.regular_files import open_regular, read_regular
from latentvqa.stopping import deferred

SCHEMA = 2
_READ_BYTES = 2**20
_NOTED_SECONDS = 2.0  # a kill loses at most what came in such a time


@dataclass(frozen=True)
class Progress:
    """How much of a part counts.

    Attributes:
        asked: what the work is; another work cannot go on with the part.
        rows: that are whole.
        size: bytes of these.
        sha256: of these bytes.
    """

    asked: str
    rows: int
    size: int
    sha256: str


class ResumableOutput:
    """Writes rows to a part, which becomes the output when all are written.

    Args:
        output: what is to come; no stream.
        is_resumed: go on with the part of an earlier work, if there is one.

    Attributes:
        kept: rows that a later work can go on with.
    """

    def __init__(self, output: NamedOutput, *, is_resumed: bool) -> None:
        self.output, self._is_resumed = output, is_resumed
        target = output.target
        self.part = target.with_name(f"{target.name}.part")
        self._record = target.with_name(f"{target.name}.part.json")
        self.kept = 0

    def require_writable(self, inputs: Iterable[Path]) -> None:
        """Refuse what must not or cannot be written, before any work is done.

        Raises:
            OutputError: saying which and what to do.
        """
        self.output.require_writable(inputs)
        is_kept = not self._is_resumed and not self.output.overwrite
        if is_kept and os.path.lexists(self.part):
            raise OutputError(
                f"{self.part}: rows of an earlier work that was stopped. Go on with --resume, or "
                "begin anew with --overwrite."
            )

    def progress(self, asked: str) -> Progress:
        """What an earlier work left that this one can go on with.

        Args:
            asked: tells this work from any other, as a hash of all that rows depend on.

        Raises:
            OutputError: if it is of another work, or damaged.
        """
        nothing = Progress(asked, 0, 0, hashlib.sha256().hexdigest())
        if not self._is_resumed or not os.path.lexists(self.part):
            return nothing
        try:
            content = read_regular(self._record)
            known = json.loads(content)
            newer = newer_format(self._record, known["schema"], SCHEMA)
            found = Progress(known["asked"], known["rows"], known["size"], known["sha256"])
        except FileNotFoundError:
            return nothing  # killed before the first rows were noted
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._refusal("its record cannot be read") from error
        if not has_right_sum(content):
            raise self._refusal("its record is damaged")
        if newer is not None:
            raise self._refusal(newer)
        if self.part.lstat().st_size < found.size:
            raise self._refusal("it is shorter than its record says")
        if self._sum_of(found.size).hexdigest() != found.sha256:
            raise self._refusal("it is damaged: its SHA-256 is not the one in its record")
        if found.asked != asked:
            raise self._refusal(
                "it was begun with another model, other pictures or questions, or other options"
            )
        return found

    @contextmanager
    def open(self, asked: str) -> Iterator[RowWriter]:
        """Take rows; the output is there when the block ends well, the part otherwise.

        Args:
            asked: as in :meth:`progress`.

        Raises:
            OutputError: if it cannot be written.
        """
        known = self.progress(asked)
        with self._faults_named():
            if known.rows == 0:
                self._remove()
            file = append_file(self.part) if known.rows else create_file(self.part)
        with file:
            self._lock(file)
            file.truncate(known.size)
            with self._faults_named():
                summed = self._sum_of(known.size)
            self.kept = known.rows
            writer = RowWriter(file, known, summed, self._note)
            try:
                with self._faults_named():
                    yield writer
                    writer.note()
                    os.fsync(file.fileno())
            except BaseException:
                # on a full disk what was noted before counts
                with deferred():
                    if writer.rows:
                        with suppress(OSError):
                            writer.note()
                    if not self.kept:
                        with suppress(OSError):
                            self._remove()
                with suppress(OSError):
                    file.close()
                raise
        with self._faults_named(), deferred():
            self.output.publish(self.part)
            self._remove()
            sync_folder(self.part.parent)

    def _lock(self, file: BinaryIO) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"{self.part}: another process is writing it") from error
        except OSError:
            return  # a file system without locks

    def _sum_of(self, size: int) -> hashlib._Hash:
        """The sum of the bytes that the part begins with, to go on with."""
        summed = hashlib.sha256()
        with open_regular(self.part) as file:
            while size > 0 and (content := file.read(min(size, _READ_BYTES))):
                summed.update(content)
                size -= len(content)
        return summed

    def _note(self, known: Progress) -> None:
        record = with_sum(json.dumps({"schema": SCHEMA, **asdict(known)}).encode())
        replace_file(self._record, record)
        self.kept = known.rows

    def _remove(self) -> None:
        self.part.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def _refusal(self, why: str) -> OutputError:
        return OutputError(
            f"{self.part}: the rows in it cannot be gone on with: {why}. Begin anew with "
            "--overwrite and without --resume."
        )

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.filename is not None and Path(error.filename) not in (self.part, self._record):
                raise  # of something else that is read or written meanwhile
            raise OutputError(
                f"{self.output.option} {self.output.path}: cannot be written: "
                f"{error.strerror or error}"
            ) from error


class RowWriter:
    """Appends rows to a part.

    Args:
        file: the part.
        known: what is in it.
        summed: the sum of that.
        note: writes down what counts.

    Attributes:
        rows: that were written, those of earlier works included.
    """

    def __init__(
        self,
        file: BinaryIO,
        known: Progress,
        summed: hashlib._Hash,
        note: Callable[[Progress], None],
    ) -> None:
        self._file, self._summed, self._note = file, summed, note
        self._asked, self.rows, self._size = known.asked, known.rows, known.size
        self._noted = time.monotonic()

    def write(self, content: bytes, *, is_row: bool = True) -> None:
        """Append a whole row, or what belongs to the next or the last one."""
        with deferred():
            self._file.write(content)
            self._summed.update(content)
            self._size += len(content)
            self.rows += is_row
            if is_row and time.monotonic() - self._noted > _NOTED_SECONDS:
                self.note()

    def note(self) -> None:
        """Let what is written so far count."""
        self._file.flush()
        self._note(Progress(self._asked, self.rows, self._size, self._summed.hexdigest()))
        self._noted = time.monotonic()
