"""Files whose SHA-256 stands in ``sums.json`` beside them, so that a change is noticed.

The sums are written first, the former one beside the new one: a kill leaves
either file, and both are known. Files of earlier versions have no sums and are
taken as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from latentvqa.core.formats import newer_format
from latentvqa.core.summed_text import has_right_sum, with_sum
from latentvqa.durable import naming, sync_folder, unfinished, write_synced
from latentvqa.errors import CheckpointError
from latentvqa.regular_files import open_regular, read_regular
from latentvqa.stopping import deferred

SUMS_NAME = "sums.json"
SCHEMA = 1

Sums = dict[str, tuple[str, ...]]  # by name; two while a file is replaced


class NewerFormatError(CheckpointError):
    """A file is of a newer version; the message says to upgrade."""


class DamagedFileError(CheckpointError):
    """A file is not what was written into it; the message names it."""


class DamagedSumsError(CheckpointError):
    """The sums of a folder are not what was written, so that nothing vouches for its files."""


def sum_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        OSError: if it cannot be read, or is no file.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(folder: Path) -> Sums:
    """The known sums of the files of a folder; none where nothing is written down.

    Raises:
        DamagedSumsError: if what is written down is damaged.
        NewerFormatError: if a newer version wrote it.
        OSError: if it cannot be read.
    """
    path = folder / SUMS_NAME
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return {}
    try:
        held = json.loads(content)
        if _is_of_earlier_version(held):
            return {name: (known,) for name, known in held.items()}
        sentence = newer_format(path, held["schema"], SCHEMA)
        sums = {name: tuple(known) for name, known in held["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged_sums(path) from error
    if not has_right_sum(content):
        raise _damaged_sums(path)
    if sentence is not None:
        raise NewerFormatError(sentence)
    return sums


def read_summed(path: Path, advice: str) -> bytes:
    """The content of a file that is what was written.

    Args:
        path: the file; its writer may be at work.
        advice: what to do where it is damaged.

    Raises:
        DamagedFileError: if it was changed since.
        DamagedSumsError: if the sums of its folder are damaged.
        OSError: if it cannot be read, or is no file.
    """
    content = read_regular(path)
    while not _is_known(content, path):
        again = read_regular(path)
        if again == content:
            raise DamagedFileError(
                f"{path} is damaged: its SHA-256 is not the one in {SUMS_NAME}. {advice}"
            )
        content = again  # replaced meanwhile
    return content


def replace_summed(contents: Mapping[Path, bytes]) -> None:
    """Replace files of one folder, each whole or not at all, and write down their sums.

    On a full disk all are as they were.

    Raises:
        DamagedSumsError: if the sums of the folder are damaged.
        OSError: naming the file that cannot be written.
    """
    folder = next(iter(contents)).parent
    sums = read_sums(folder)
    for path, content in contents.items():
        present = _known_sum(path, sums.get(path.name, ()))
        sums[path.name] = tuple(dict.fromkeys([_sum(content), *present]))
    with deferred(), ExitStack() as stack:
        drafts = {}
        for path, content in {folder / SUMS_NAME: sums_content(sums), **contents}.items():
            with naming(path):
                drafts[path] = stack.enter_context(unfinished(path))
                write_synced(drafts[path].file, content)
        for path, draft in drafts.items():
            with naming(path):
                draft.named().replace(path)
                sync_folder(folder)


def restore(path: Path, content: bytes) -> bool:
    """Write content that was made anew into a damaged file, if it is what stood there.

    Returns:
        Whether it is.

    Raises:
        OSError: if it cannot be written.
    """
    if _sum(content) not in read_sums(path.parent).get(path.name, ()):
        return False
    replace_summed({path: content})
    return True


def sums_content(sums: Mapping[str, Iterable[str]]) -> bytes:
    """What is written down for sums by the names of their files."""
    held = {"schema": SCHEMA, "files": {name: list(known) for name, known in sums.items()}}
    return with_sum(json.dumps(held, indent=1).encode()) + b"\n"


def damaged_files(folder: Path) -> list[Path]:
    """Files of a folder that are there and not what was written.

    Raises:
        DamagedSumsError: if the sums themselves are damaged.
    """
    return [
        folder / name
        for name, known in read_sums(folder).items()
        if (folder / name).exists() and not _known_sum(folder / name, known)
    ]


def _damaged_sums(path: Path) -> DamagedSumsError:
    return DamagedSumsError(
        f"{path} is damaged, so that nothing tells whether the files beside it are whole. Put back "
        "a copy of it; or remove it, and they are taken as they are."
    )


def _is_known(content: bytes, path: Path) -> bool:
    known = read_sums(path.parent).get(path.name)
    return known is None or _sum(content) in known


def _known_sum(path: Path, known: Iterable[str]) -> list[str]:
    """The sum of a file as it is, if it is known."""
    try:
        found = sum_of(path)
    except OSError:
        return []
    return [found] if found in known else []


def _is_of_earlier_version(held: object) -> bool:
    """Whether sums of a checkpoint are names and sums, and nothing else."""
    return isinstance(held, dict) and all(isinstance(known, str) for known in held.values())


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
