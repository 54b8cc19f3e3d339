"""``metrics.jsonl`` in and out: a header line, then one line per epoch.

Appending is synced line by line, so that a kill costs at most the line being
written. Reading takes whatever is whole, says in notes what was not, and raises
:class:`~latentvqa.errors.HistoryError` only where nothing is left. It judges
nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentvqa.core.figures import counted
from latentvqa.core.formats import newer_format
from latentvqa.core.record_codec import (
    SCHEMA,
    decode_epoch,
    decode_header,
)
from latentvqa.core.records import EpochRecord, KLConvention, RunHeader
from latentvqa.durable import append_file, replace_file, sync_folder, write_synced
from latentvqa.errors import HistoryError
from latentvqa.log_lines import Line, epoch_line, header_line, lines_of
from latentvqa.regular_files import read_regular, read_regular_text

LOG_NAME = "metrics.jsonl"
SET_ASIDE_NAME = "metrics.set-aside.jsonl"
POINTERS = ("best", "last")  # files of a run that name a checkpoint
_CHECKPOINT = re.compile(r"(\d{4,9})-\d{8,}\s*")
CONVENTION = frozenset({"reduction", "tokens", "dims", "free_bits", "factor", "max_weight"})


@dataclass(frozen=True)
class History:
    """A log as far as it could be read.

    Attributes:
        header: its header, or the assumed one.
        records: its epochs, rising, one each.
        notes: what was missing, torn or assumed.
        path: the log file.
    """

    header: RunHeader
    records: tuple[EpochRecord, ...]
    notes: tuple[str, ...]
    path: Path


def log_path(run: Path | str) -> Path:
    """The log that a run folder, ``RUN/last``, ``RUN/best`` or a file stands for."""
    path = Path(run)
    if path.is_dir() and (path / LOG_NAME).exists():
        return path / LOG_NAME
    if path.name in POINTERS and (path.parent / LOG_NAME).exists():
        return path.parent / LOG_NAME
    return path / LOG_NAME if path.is_dir() else path


def write_header(path: Path | str, header: RunHeader) -> None:
    """Begin a log.

    Raises:
        HistoryError: if the file exists or cannot be written.
    """
    with _failures_named(Path(path), "write"):
        try:
            with Path(path).open("xb") as file:
                write_synced(file, header_line(header))
        except FileExistsError as error:
            raise HistoryError(
                f"{path} already holds a log: resume the run or choose another folder"
            ) from error
        sync_folder(Path(path).parent)


def replace_header(path: Path | str, header: RunHeader) -> None:
    """Put another header in front of the epochs of a log; their lines keep their bytes.

    Raises:
        HistoryError: if the file cannot be read or written.
    """
    path = Path(path)
    with _failures_named(path, "write"):
        epochs = [
            line.raw + b"\n" for line in lines_of(read_regular(path)) if line.kind != "header"
        ]
        replace_file(path, header_line(header) + b"".join(epochs))


def append_record(path: Path | str, record: EpochRecord) -> None:
    """Append one epoch, flushed and synced; a torn last line is closed first.

    Raises:
        HistoryError: if the file cannot be written, or is a link.
    """
    with _failures_named(Path(path), "write"), append_file(Path(path)) as file:
        is_torn = False
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            is_torn = file.read(1) != b"\n"
        write_synced(file, (b"\n" if is_torn else b"") + epoch_line(record))


def read_history(run: Path | str) -> History:
    """Read a log.

    Args:
        run: a run folder, its ``last`` or ``best``, or the log itself.

    Returns:
        The header, the epochs and what had to be assumed or left out.

    Raises:
        HistoryError: if there is no such log, nothing in it is usable, or a newer
            version wrote it.
    """
    path = log_path(run)
    saved = _epochs_saved(path.parent)  # before the log, which is written later
    with _failures_named(path, "read"):
        content = read_regular(path)
    header: RunHeader | None = None
    by_epoch: dict[int, EpochRecord] = {}
    notes: list[str] = []
    repeated: set[int] = set()
    lines = lines_of(content)
    for line in lines:
        number = line.number
        if line.kind == "header":
            header = header or _header(line.value, number, notes, path)
            continue
        record, faults = (None, []) if line.kind != "epoch" else decode_epoch(line.value)
        if record is None:
            notes.append(f"Line {number} {_cause_of_loss(line)} and was left out.")
            continue
        if faults:
            notes.append(f"Line {number}: unusable values left out: {_listed(faults)}.")
        if record.epoch in by_epoch:
            repeated.add(record.epoch)
        by_epoch[record.epoch] = record
    if header is None and not by_epoch:
        raise HistoryError(
            f"{path} holds no header and no epoch: give a run folder or its {LOG_NAME}"
        )
    if any(line.kind == "damaged" for line in lines):
        notes.append("What is damaged is written anew from the checkpoints by train --resume.")
    if repeated:
        notes.append(f"Epochs logged more than once, the last one counts: {_listed(repeated)}.")
    if header is None:
        notes.append("The log has no header: its KL convention is assumed.")
        header = RunHeader(kl=KLConvention(is_assumed=True))
    records = tuple(by_epoch[epoch] for epoch in sorted(by_epoch))
    if header.is_own and saved > max(by_epoch, default=-1) + 1:
        notes.append(
            f"The log ends before the last checkpoint, which is after {counted(saved, 'epoch')}: "
            "train --resume writes what is missing."
        )
    return History(header, records, _shortened(notes), path)


def reconcile(path: Path | str, upto: int, saved: bytes) -> str | None:
    """Make a log end with the epoch of the checkpoint that a run resumes from.

    Later, repeated, torn and damaged lines move to ``metrics.set-aside.jsonl``; a
    missing line is written from the checkpoint. Kept lines keep their bytes, but
    those of an earlier version get sums.

    Args:
        path: the log.
        upto: epoch of the checkpoint; -1 before the first.
        saved: the log that the checkpoint holds, as far as it does.

    Returns:
        What was done, or None where the log was right.

    Raises:
        HistoryError: if a file cannot be read or written.
    """
    path = Path(path)
    with _failures_named(path, "read"):
        content = read_regular(path) if path.exists() else b""
    found, known = _sorted(content, upto), _sorted(saved, upto)
    aside = counted(len(found.rest), "line")
    done = [f"{aside} set aside in {SET_ASIDE_NAME}"] if found.rest else []
    heading = found.heading
    if heading is None and known.heading is not None:
        heading = known.heading
        done.append("the header written anew")
    missing = sorted(known.epochs.keys() - found.epochs.keys())
    done += [f"epoch {epoch} written from the checkpoint" for epoch in missing]
    epochs = {**known.epochs, **found.epochs}
    whole = (heading or b"") + b"".join(epochs[epoch] for epoch in sorted(epochs))
    if whole == content and not path.is_symlink():
        return None
    with _failures_named(path, "write"):
        if found.rest:
            _set_aside(path.parent / SET_ASIDE_NAME, found.rest)
        replace_file(path, whole)
    return f"{path.name}: {', '.join(done) or 'lines put in order'}."


def _set_aside(path: Path, lines: Sequence[bytes]) -> None:
    """Add lines to those set aside before; what stands behind a link is not ours."""
    is_ours = path.is_file() and not path.is_symlink()
    replace_file(path, (read_regular(path) if is_ours else b"") + b"".join(lines))


@dataclass(frozen=True)
class _SortedLines:
    """Lines of a log by what becomes of them, each with its end."""

    heading: bytes | None
    epochs: dict[int, bytes]
    rest: list[bytes]


def _sorted(content: bytes, upto: int) -> _SortedLines:
    heading: bytes | None = None
    epochs: dict[int, bytes] = {}
    rest: list[bytes] = []
    for line in lines_of(content):
        raw = line.raw + b"\n"
        record = decode_epoch(line.value)[0] if line.kind == "epoch" else None
        if heading is None and line.kind == "header":
            heading = line.renewed()
        elif record is None or record.epoch > upto:
            rest.append(raw)
        else:
            rest.extend([epochs.pop(record.epoch)] if record.epoch in epochs else [])
            epochs[record.epoch] = line.renewed()
    return _SortedLines(heading, epochs, rest)


def _cause_of_loss(line: Line) -> str:
    if line.kind == "cut":
        return "is cut in the middle"
    if line.kind == "damaged":
        return "is damaged (it is not what its sum says)"
    return "is not a usable epoch"


def _epochs_saved(run: Path) -> int:
    """Epochs that were done at the last checkpoint of a run, by its name; 0 where there is none."""
    try:
        found = _CHECKPOINT.fullmatch(read_regular_text(run / POINTERS[1]))
    except (OSError, ValueError):
        return 0
    return 0 if found is None else int(found[1])


def _header(value: dict[str, Any], number: int, notes: list[str], path: Path) -> RunHeader:
    schema = value.get("schema")
    if sentence := newer_format(path, schema, SCHEMA):
        raise HistoryError(sentence)
    if not isinstance(schema, int) or schema < 1:
        shown = ascii(str(schema)[:20])
        notes.append(f"The log has schema {shown}, this version {SCHEMA}: read as far as known.")
    header, faults = decode_header(value)
    if faults:
        notes.append(f"Line {number}: unusable header values, defaults taken: {_listed(faults)}.")
    stated = value.get("kl")
    is_stated = isinstance(stated, dict) and stated.keys() >= CONVENTION
    is_unstated = not is_stated or any(fault.startswith("kl") for fault in faults)
    return replace(header, kl=replace(header.kl, is_assumed=True)) if is_unstated else header


@contextmanager
def _failures_named(path: Path, doing: str) -> Iterator[None]:
    """Turn a failure of the file system into an error that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise HistoryError(
            f"there is no log at {path}: give a run folder or its {LOG_NAME}"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        cause = getattr(error, "strerror", None) or error
        raise HistoryError(f"cannot {doing} {path}: {cause}") from error


def _listed(items: set[int] | list[str], most: int = 5) -> str:
    ordered = [str(item) for item in (sorted(items) if isinstance(items, set) else items)]
    ordered = [item if item.isprintable() else ascii(item) for item in ordered]
    more = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {more} more" if more > 0 else "")


def _shortened(notes: list[str], most: int = 10) -> tuple[str, ...]:
    more = len(notes) - most
    return tuple(notes[:most]) + (
        (f"And {counted(more, 'more fault')} of this kind.",) if more > 0 else ()
    )
