"""Lines of a text file, whatever its bytes are: encoding, line ends, length.

Never fails on content; only the file system can fail.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentvqa.errors import HistoryError
from latentvqa.logs.notes import Notes
from latentvqa.regular_files import open_regular, open_regular_text

HEAD_BYTES = 65_536
LONGEST_LINE = 1 << 20  # characters; what follows on the line is left out

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def head_of(path: Path) -> bytes:
    """The first bytes of a file.

    Raises:
        HistoryError: if it cannot be read.
    """
    with failures_named(path), open_regular(path) as file:
        return file.read(HEAD_BYTES)


def head_lines(head: bytes) -> list[str]:
    """The whole lines in the first bytes that are not blank, with the last cut one if alone."""
    lines = head.decode(encoding_of(head), "replace").splitlines()
    if len(head) == HEAD_BYTES and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line.strip()]


def encoding_of(head: bytes) -> str:
    """The encoding that a byte order mark names, else UTF-8."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def lines_of(path: Path, notes: Notes, *, is_growing: bool = False) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank; bytes in no encoding are replaced.

    Args:
        path: the file.
        notes: takes what was cut or replaced.
        is_growing: whether a last line without its end is still being written, and
            so left out.

    Raises:
        HistoryError: if the file cannot be read.
    """
    encoding = encoding_of(head_of(path))
    has_replaced = False
    with failures_named(path), open_regular_text(path, encoding, "replace") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if is_growing and len(line) < LONGEST_LINE and not line.endswith("\n"):
                return
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                notes.fault(f"Line {number} is longer than {LONGEST_LINE} characters: cut.")
                while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
            if not has_replaced and "\ufffd" in line:
                has_replaced = True
                notes.fault(f"Line {number} holds bytes that are not {encoding}: replaced.")
            if not line.isspace():
                yield number, line


@contextmanager
def failures_named(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an error that names the file."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        cause = getattr(error, "strerror", None) or error
        raise HistoryError(f"cannot read {path}: {cause}") from error
