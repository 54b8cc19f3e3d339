"""Say why a named image is not there: how the name on the disk differs from it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EXAMPLES = 3
_CASE = "differ from a name on the disk in capital letters"
_EXTENSION = "differ from a name on the disk in the extension"
_LACKING = "lack the extension that the name on the disk has"


@dataclass(frozen=True)
class _NearMiss:
    cause: str
    wanted: str
    there: str


@dataclass(frozen=True)
class _Names:
    """Names in a folder by what is left of them without capital letters, whole and by stem."""

    whole: dict[str, str]
    stems: dict[str, str]


def missing_advice(paths: Sequence[Path]) -> list[str]:
    """Return a line for each cause: how many names it has, and what to write for the first.

    Args:
        paths: images that are not there.
    """
    folders: dict[Path, _Names] = {}
    found = [miss for path in paths if (miss := _near_miss(path, folders)) is not None]
    lines = []
    for cause in (_CASE, _EXTENSION, _LACKING):
        misses = [miss for miss in found if miss.cause == cause]
        if misses:
            examples = dict.fromkeys(f"{miss.there!r} for {miss.wanted!r}" for miss in misses)
            more = " ..." if len(examples) > _EXAMPLES else ""
            shown = ", ".join(list(examples)[:_EXAMPLES])
            lines.append(f"{len(misses)} of the missing names {cause}: write {shown}{more or '.'}")
    return lines


def _near_miss(path: Path, folders: dict[Path, _Names]) -> _NearMiss | None:
    """The name on the disk that is closest to a missing one, in the last folder that is there."""
    while not path.parent.is_dir() and path.parent != path.parent.parent:
        path = path.parent
    if path.parent not in folders:
        folders[path.parent] = _names_in(path.parent)
    names, wanted = folders[path.parent], _folded(path.name)
    stem, suffix = os.path.splitext(wanted)  # noqa: PTH122
    if (there := names.whole.get(wanted)) is not None:
        return _NearMiss(_CASE, path.name, there)
    if (there := names.stems.get(wanted)) is not None:
        return _NearMiss(_LACKING, path.name, there)
    if suffix and (there := names.stems.get(stem)) is not None:
        return _NearMiss(_EXTENSION, path.name, there)
    return None


def _names_in(folder: Path) -> _Names:
    try:
        names = sorted(os.listdir(folder), reverse=True)  # noqa: PTH208
    except OSError:
        names = []
    return _Names(
        {_folded(name): name for name in names},
        {_folded(os.path.splitext(name)[0]): name for name in names},  # noqa: PTH122
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
