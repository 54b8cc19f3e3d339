"""``metrics.jsonl`` in and out: a header line, then one line per epoch.

Appending is synced line by line, so that a kill costs at most the line being
written. Reading takes whatever is whole, says in notes what was not, and raises
:class:`~latentvqa.errors.HistoryError` only where nothing is left. It judges
nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentvqa.core.record_codec import (
    SCHEMA,
    decode_epoch,
    decode_header,
    encode_epoch,
    encode_header,
)
from latentvqa.core.records import EpochRecord, KLConvention, RunHeader
from latentvqa.durable import append_file, replace_file, sync_folder, write_synced
from latentvqa.errors import HistoryError
from latentvqa.regular_files import read_regular

LOG_NAME = "metrics.jsonl"
SET_ASIDE_NAME = "metrics.set-aside.jsonl"
POINTERS = ("best", "last")  # files of a run that name a checkpoint
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
                write_synced(file, _line(encode_header(header)))
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
        lines = read_regular(path).splitlines(keepends=True)
        epochs = [raw for raw in lines if not _is_header(_parse(raw))]
        replace_file(path, _line(encode_header(header)) + b"".join(epochs))


def append_record(path: Path | str, record: EpochRecord) -> None:
    """Append one epoch, flushed and synced; a torn last line is closed first.

    Raises:
        HistoryError: if the file cannot be written.
    """
    with _failures_named(Path(path), "write"), append_file(Path(path)) as file:
        is_torn = False
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            is_torn = file.read(1) != b"\n"
        write_synced(file, (b"\n" if is_torn else b"") + _line(encode_epoch(record)))


def read_history(run: Path | str) -> History:
    """Read a log.

    Args:
        run: a run folder, its ``last`` or ``best``, or the log itself.

    Returns:
        The header, the epochs and what had to be assumed or left out.

    Raises:
        HistoryError: if there is no such log or nothing in it is usable.
    """
    path = log_path(run)
    with _failures_named(path, "read"):
        lines = read_regular(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    header: RunHeader | None = None
    by_epoch: dict[int, EpochRecord] = {}
    notes: list[str] = []
    repeated: set[int] = set()
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        value = _parse(raw)
        if _is_header(value):
            header = header or _header(value, number, notes)
            continue
        record, faults = (None, []) if not _is_epoch(value) else decode_epoch(value)
        if record is None:
            torn = value is None and number == len(lines)
            cause = "is cut in the middle" if torn else "is not a usable epoch"
            notes.append(f"Line {number} {cause} and was left out.")
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
    if repeated:
        notes.append(f"Epochs logged more than once, the last one counts: {_listed(repeated)}.")
    if header is None:
        notes.append("The log has no header: its KL convention is assumed.")
        header = RunHeader(kl=KLConvention(is_assumed=True))
    records = tuple(by_epoch[epoch] for epoch in sorted(by_epoch))
    return History(header, records, _shortened(notes), path)


def reconcile(path: Path | str, upto: EpochRecord, header: RunHeader | None = None) -> str | None:
    """Make a log end with the epoch of the checkpoint that a run resumes from.

    Later, repeated and torn lines move to ``metrics.set-aside.jsonl``; a missing
    line is written from the checkpoint's record. Kept lines keep their bytes.

    Args:
        path: the log.
        upto: record of the checkpoint.
        header: written where the log has none.

    Returns:
        What was done, or None where the log was right.

    Raises:
        HistoryError: if a file cannot be read or written.
    """
    path = Path(path)
    with _failures_named(path, "read"):
        content = read_regular(path) if path.exists() else b""
    heading: bytes | None = None
    kept: dict[int, bytes] = {}
    aside: list[bytes] = []
    for raw in (line + b"\n" for line in content.split(b"\n") if line.strip()):
        value = _parse(raw)
        record = decode_epoch(value)[0] if _is_epoch(value) else None
        if heading is None and _is_header(value):
            heading = raw
        elif record is None or record.epoch > upto.epoch:
            aside.append(raw)
        else:
            aside.extend([kept.pop(record.epoch)] if record.epoch in kept else [])
            kept[record.epoch] = raw
    done = [f"{len(aside)} line(s) set aside in {SET_ASIDE_NAME}"] if aside else []
    if heading is None and header is not None:
        heading = _line(encode_header(header))
        done.append("the header written anew")
    if upto.epoch not in kept:
        kept[upto.epoch] = _line(encode_epoch(upto))
        done.append(f"epoch {upto.epoch} written from the checkpoint")
    whole = (heading or b"") + b"".join(kept[epoch] for epoch in sorted(kept))
    if whole == content:
        return None
    with _failures_named(path, "write"):
        if aside:
            with append_file(path.parent / SET_ASIDE_NAME) as file:
                write_synced(file, b"".join(aside))
        replace_file(path, whole)
    return f"{path.name}: {', '.join(done) or 'lines put in order'}."


def _header(value: dict[str, Any], number: int, notes: list[str]) -> RunHeader:
    schema = value.get("schema")
    if schema != SCHEMA:
        shown = ascii(str(schema)[:20])
        notes.append(f"The log has schema {shown}, this version {SCHEMA}: read as far as known.")
    header, faults = decode_header(value)
    if faults:
        notes.append(f"Line {number}: unusable header values, defaults taken: {_listed(faults)}.")
    stated = value.get("kl")
    is_stated = isinstance(stated, dict) and stated.keys() >= CONVENTION
    is_unstated = not is_stated or any(fault.startswith("kl") for fault in faults)
    return replace(header, kl=replace(header.kl, is_assumed=True)) if is_unstated else header


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "header"


def _is_epoch(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind", "epoch") == "epoch"


def _parse(raw: bytes) -> Any:
    """The JSON value of a line, or None where it is torn."""
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


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
    return tuple(notes[:most]) + ((f"And {more} more faults of this kind.",) if more > 0 else ())
