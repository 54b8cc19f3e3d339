"""Files that the user names for a result: never an input, never lost, whole or not at all.

Asked about before the work begins, and written when it is done.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from latentvqa.durable import (
    create_file,
    sync_folder,
    unfinished,
    unfinished_name,
    write_synced,
)
from latentvqa.errors import ConfigError, OutputError

MOST_LINKS = 40  # that are followed from one name to the next


@dataclass(frozen=True)
class NamedOutput:
    """A file that an option names.

    Args:
        option: what the user named it by, as ``--out``.
        path: the file. A link keeps standing and what it leads to is written; a
            device, a pipe or a descriptor such as ``/dev/stdout`` is written into.
        overwrite: whether an earlier file may be replaced.
        is_own: whether we chose the path, in a folder of ours: then a link is replaced.
    """

    option: str
    path: Path
    overwrite: bool = False
    is_own: bool = False

    def require_suffix(self, *suffixes: str) -> None:
        """Refuse a name that says the file holds something else.

        Args:
            suffixes: that it may have, as ``.html``; a stream may have any name.

        Raises:
            ConfigError: naming them.
        """
        if self.path.suffix.lower() not in suffixes and not self.is_stream:
            wanted = " or ".join(suffixes)
            raise ConfigError(f"{self.option} {self.path}: the name must end in {wanted}")

    def require_writable(self, inputs: Iterable[Path] = ()) -> None:
        """Refuse what must not or cannot be written, before any work is done.

        Args:
            inputs: files and folders that the command reads or writes besides.

        Raises:
            OutputError: saying which and what to do.
        """
        with self._faults_named():
            if self.is_stream:
                return
            if self.target.is_dir() and not self.target.is_symlink():
                raise self._refusal("is a folder. Name a file.")
            for one in inputs:
                if is_same_file(self.path, one):
                    raise self._refusal(
                        f"is {one}, which the same command needs. Name another file."
                    )
            if self.path.exists() and not self.overwrite:
                raise self._refusal("is there already. Replace it with --overwrite.")
            probe = unfinished_name(self.target)
            create_file(probe).close()
            probe.unlink()

    def save(self, content: bytes) -> None:
        """Write it whole.

        Raises:
            OutputError: if it cannot be written; an earlier file is as it was.
        """
        with self.draft() as draft:
            draft.write(content)

    @contextmanager
    def draft(self) -> Iterator[BinaryIO]:
        """A file to write it into bit by bit; it is there when all is written, not before.

        Raises:
            OutputError: if it cannot be written; an earlier file is as it was.
        """
        with self._faults_named():
            stream = _opened_stream(self.path) if self.is_stream else None
        if stream is not None:
            with self._faults_named(is_body=True), stream:
                yield stream
            return
        target = self.target
        with ExitStack() as stack:
            with self._faults_named():
                work = stack.enter_context(unfinished(target))
            with self._faults_named(is_body=True):
                yield work.file
                write_synced(work.file, b"")
            with self._faults_named():
                self.publish(work.named())
        sync_folder(target.parent)

    def publish(self, temporary: Path) -> None:
        """Give a whole file the output's name.

        Raises:
            OutputError: if another has it by now and is to be kept.
        """
        if self.overwrite:
            temporary.replace(self.target)
        elif not _linked_if_free(temporary, self.target):
            raise self._refusal(
                "came into being meanwhile and stays as it is. Replace it with --overwrite."
            )

    @property
    def target(self) -> Path:
        """What is written in the end."""
        return self.path if self.is_own else Path(os.path.realpath(self.path))

    @property
    def is_stream(self) -> bool:
        """Whether it is written into as it is: a device, a pipe, a descriptor."""
        return not self.is_own and _is_stream(self.path)

    @contextmanager
    def _faults_named(self, *, is_body: bool = False) -> Iterator[None]:
        """Turn a failure of the file system into an error that names the output.

        In the body of a draft one that names a file is about another one.
        """
        try:
            yield
        except BrokenPipeError:
            raise  # the reader has left, and that is no fault
        except OSError as error:
            if is_body and error.filename is not None:
                raise
            raise self._refusal(f"cannot be written: {error.strerror or error}") from error

    def _refusal(self, why: str) -> OutputError:
        return OutputError(f"{self.option} {self.path}: {why}")


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file or folder, by whatever links."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return os.path.realpath(one) == os.path.realpath(other)


def _linked_if_free(temporary: Path, target: Path) -> bool:
    """Give a file its name unless another one has it; says whether it could."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if target.exists():
            return False
        temporary.replace(target)
    return True


def _is_stream(path: Path) -> bool:
    """Whether a path leads to what is written into as it is: a device, a pipe, a descriptor."""
    if _descriptor_of(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _opened_stream(path: Path) -> BinaryIO:
    descriptor = _descriptor_of(path)
    return open(path if descriptor is None else os.dup(descriptor), "wb")  # noqa: PTH123


def _descriptor_of(path: Path) -> int | None:
    """The open descriptor of this process that a path stands for, or None."""
    folders = (Path("/dev/fd"), Path(f"/proc/{os.getpid()}/fd"))
    for _ in range(MOST_LINKS):
        folder = path.parent.resolve()
        if path.name.isdigit() and folder in folders:
            return int(path.name)
        path = folder / path.name
        if not path.is_symlink():
            return None
        path = folder / path.readlink()
    return None
