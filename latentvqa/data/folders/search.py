"""Find the images in a folder and below; whatever else lies there is counted by kind.

A file is an image if its name or its first bytes say so. Linked folders are
followed, each folder once. What cameras, file managers and notebooks leave
beside images, thumbnails above all, is left out.
"""

# Plain strings instead of Path objects, for a folder may hold a million images.
# ruff: noqa: PTH122

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from latentvqa.data.formats.kinds import HEAD_BYTES, PICTURE_SUFFIXES, kind_of
from latentvqa.errors import DataError
from latentvqa.regular_files import open_regular

_LITTER_FOLDERS = ("@eadir", "__macosx", "#recycle", "$recycle.bin", "system volume information")
_LITTER_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store")
_KINDS_SHOWN = 10
OTHER_FILES = "pipes, sockets and devices"


@dataclass(frozen=True)
class FolderImages:
    """What a folder holds.

    Attributes:
        paths: of its images, sorted by their path relative to it.
        left_out: how many files, or folders, were left out, by kind.
    """

    paths: list[Path] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def left_out_text(self) -> str:
        """What was left out, the most frequent kinds first; empty where nothing was."""
        return left_out_text(self.left_out)


def left_out_text(left_out: Counter[str]) -> str:
    """What was left out by kind as words, the most frequent kinds first."""
    known = left_out.most_common()
    shown = [f"{kind} ({count:,})" for kind, count in known[:_KINDS_SHOWN]]
    if more := sum(count for _, count in known[_KINDS_SHOWN:]):
        shown.append(f"others ({more:,})")
    return ", ".join(shown)


def images_below(folder: Path) -> FolderImages:
    """Return the images in a folder and the folders below it.

    Raises:
        DataError: if there is no such folder, it cannot be read, or it holds no image.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of images")
    found = _Walk(str(folder)).found
    if not found.paths:
        besides = f"; left out: {found.left_out_text}" if found.left_out else ""
        raise DataError(f"{folder}: no image in it or below{besides}")
    return FolderImages(
        sorted(found.paths, key=lambda path: path.relative_to(folder).as_posix()), found.left_out
    )


class _Walk:
    """Goes through a folder: first what lies in it, then what is linked from there."""

    def __init__(self, root: str) -> None:
        self.found = FolderImages()
        self._seen: set[tuple[int, int]] = set()
        self._above = _identities(Path(os.path.realpath(root)).parents)
        self._links: list[str] = []
        try:
            os.scandir(root).close()
        except OSError as error:
            raise DataError(f"{root}: cannot be read: {error.strerror}") from error
        self._enter(root)
        while self._links:
            self._links.sort(reverse=True)
            self._enter(self._links.pop())

    def _enter(self, folder: str) -> None:
        waiting = [folder]
        while waiting:
            inner = waiting.pop()
            try:
                identity = _identity(inner)
                entries = sorted(os.scandir(inner), key=lambda entry: entry.name)
            except OSError:
                self._leave_out("folders that cannot be read")
                continue
            if identity in self._seen or identity in self._above:
                self._leave_out("links to a folder that is searched already or lies above")
                continue
            self._seen.add(identity)
            for entry in entries:
                if not self._is_folder(entry):
                    self._take(entry)
                elif (kind := _litter_folder(entry.name)) is not None:
                    self._leave_out(kind, _files_in(entry.path))
                elif entry.is_symlink():
                    self._links.append(entry.path)
                else:
                    waiting.append(entry.path)

    def _take(self, entry: os.DirEntry[str]) -> None:
        kind = _litter_file(entry.name) or self._other_kind(entry)
        if kind is None:
            self.found.paths.append(Path(entry.path))
        else:
            self._leave_out(kind)

    def _other_kind(self, entry: os.DirEntry[str]) -> str | None:
        """The kind of a file that is no image; None for an image."""
        suffix = os.path.splitext(entry.name)[1].lower()
        if suffix in PICTURE_SUFFIXES:
            return None
        try:
            if not stat.S_ISREG(entry.stat().st_mode):
                return OTHER_FILES
            with open_regular(Path(entry.path)) as file:
                if kind_of(file.read(HEAD_BYTES)) is not None:
                    return None
        except FileNotFoundError:
            return "links to nowhere"
        except OSError:
            return "files that cannot be read"
        return suffix_kind(suffix)

    def _leave_out(self, kind: str, count: int = 1) -> None:
        if count:
            self.found.left_out[kind] += count

    @staticmethod
    def _is_folder(entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError:  # a link that leads to itself
            return False


def suffix_kind(suffix: str) -> str:
    """What files of a suffix are called; those of one that cannot be shown have none."""
    return f"{suffix} files" if suffix.isprintable() and suffix else "files without a suffix"


def litter_in(path: str) -> str | None:
    """The kind of what lies beside images, told by a path with ``/``; None for the rest."""
    *folders, name = path.split("/")
    kinds = [_litter_folder(folder) for folder in folders if folder not in ("", ".", "..")]
    return next((kind for kind in kinds if kind), None) or _litter_file(name)


def _litter_folder(name: str) -> str | None:
    is_litter = name.lower() in _LITTER_FOLDERS or name in (".ipynb_checkpoints", ".thumbnails")
    if is_litter:
        return f"files in {name}"
    return "files in hidden folders" if name.startswith(".") else None


def _litter_file(name: str) -> str | None:
    if name.lower() in _LITTER_FILES:
        return name
    return "hidden files" if name.startswith(".") else None


def _files_in(folder: str) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def _identities(folders: Iterable[Path]) -> set[tuple[int, int]]:
    found = set()
    for folder in folders:
        with suppress(OSError):  # one may lead to a folder without a right to read all above it
            found.add(_identity(str(folder)))
    return found


def _identity(folder: str) -> tuple[int, int]:
    known = os.stat(folder)  # noqa: PTH116
    return known.st_dev, known.st_ino
