"""Find the file that an image cell of a table names.

A folder is listed once, however many rows name images in it. A name may lack
its extension, and its letters may be composed of others than on the disk (Unicode
NFC and NFD), folders included; a number may stand for the one image whose name ends
with it, as 557067 for ``COCO_val2014_000000557067.jpg``. A name may not leave the
images folder unless that is allowed. A file that does not exist is no fault here:
reading the images reports it.
"""

# Plain strings instead of Path objects, for a table may name a million images.
# ruff: noqa: PTH100, PTH118, PTH122

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from latentvqa.data.formats.kinds import SUFFIXES
from latentvqa.errors import DataError

_LAST_NUMBER = re.compile(r"[0-9]{1,18}$")


class ImageFolder:
    """The folder that the image names of a table are relative to.

    Args:
        root: the folder, or a link to it.
        allow_outside: accept names that lead out of the folder.

    Attributes:
        numbered: the images that were found by a number alone, by that number.

    Raises:
        DataError: if the folder does not exist.
    """

    def __init__(self, root: Path, *, allow_outside: bool = False):
        if not root.is_dir():
            raise DataError(f"{root}: no such images folder; check data.images")
        self.allow_outside = allow_outside
        self._real_root = os.path.realpath(root)
        # ".." after a link does not lead back to where the link stands
        self._root = self._real_root if ".." in root.parts else os.path.abspath(root)
        self.numbered: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._listings: dict[str, _Listing] = {}

    def find(self, name: str) -> str:
        """Return the file's path relative to the root, or absolute outside it.

        Raises:
            ValueError: if the name can be no file's, leads out of the folder or fits
                several files; the message does not name the table.
        """
        _check_characters(name)
        full = os.path.normpath(os.path.join(self._root, name))
        inner = self._inner(full)
        if inner is None and not self.allow_outside:
            raise ValueError("leads out of the images folder")
        if inner is not None:
            full = os.path.join(self._root, inner)
        folder, base = os.path.split(full)
        folder = self._on_disk(folder)
        listing = self._listing(folder)
        wanted, base = base, listing.complete(base)
        if wanted.isdigit() and os.path.splitext(base)[0] != wanted and base != wanted:
            self.numbered.setdefault(name, base)
        full = os.path.join(folder, base)
        if not (self.allow_outside or self._is_really_inside(full, base, listing)):
            raise ValueError("is a link that leads out of the images folder")
        return (full if inner is None else full[len(_prefix(self._root)) :]).replace(os.sep, "/")

    def path(self, name: str) -> Path:
        """Return the full path of a name that :meth:`find` returned."""
        return Path(self._root, name)

    def _inner(self, full: str) -> str | None:
        """The part of a path below the root, which may also be named without its links."""
        for root in (self._root, self._real_root):
            prefix = _prefix(root)
            if full.startswith(prefix) and len(full) > len(prefix):
                return full[len(prefix) :]
            if _nfc(full).startswith(_nfc(prefix)):
                depth = prefix.count(os.sep)
                return full.split(os.sep, depth)[depth] or None
        return None

    def _on_disk(self, folder: str) -> str:
        """A folder as the disk writes it."""
        if folder == self._root or folder == os.path.dirname(folder):  # noqa: PTH120
            return folder
        if folder not in self._folders:
            above, base = os.path.split(folder)
            above = self._on_disk(above)
            self._folders[folder] = os.path.join(above, self._listing(above).entry(base) or base)
        return self._folders[folder]

    def _listing(self, folder: str) -> _Listing:
        if folder not in self._listings:
            self._listings[folder] = _list_folder(folder)
        return self._listings[folder]

    def _is_really_inside(self, full: str, base: str, listing: _Listing) -> bool:
        real = os.path.realpath(full) if base in listing.links else listing.real_path
        return (real + os.sep).startswith(_prefix(self._real_root))


@dataclass(frozen=True)
class _Listing:
    """What one folder holds.

    Attributes:
        real_path: the folder without links.
        names: of everything in it.
        links: names of those that are links.
        composed: names that are not ASCII, by their NFC form.
        by_stem: names of images, by the NFC form without their extension.
    """

    real_path: str
    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    composed: dict[str, list[str]] = field(default_factory=dict)
    by_stem: dict[str, list[str]] = field(default_factory=dict)

    def entry(self, name: str) -> str | None:
        """The entry of this name: of the same bytes, else the one of the same letters."""
        if name in self.names:
            return name
        found = self.composed.get(_nfc(name), [])
        if len(found) > 1:
            raise ValueError(
                f"fits {len(found)} names of the same letters, {' and '.join(map(ascii, found))}; "
                "rename one of them"
            )
        return found[0] if found else None

    def complete(self, name: str) -> str:
        """The entry of this name; its extension is added where it is none as it stands."""
        if (entry := self.entry(name)) is not None:
            return entry
        found = self.by_stem.get(_nfc(name), [])
        if len(found) > 1:
            raise ValueError(f"fits {' and '.join(sorted(found))}; write the extension")
        if not found and name.isascii() and name.isdigit():
            found = self.by_number.get(int(name), [])
            if len(found) > 1:
                raise ValueError(
                    f"is the number of {' and '.join(sorted(found)[:3])}; write a name"
                )
        return found[0] if found else name

    @cached_property
    def by_number(self) -> dict[int, list[str]]:
        """Names of images by the number that they end with, the extension left out."""
        found: dict[int, list[str]] = {}
        for stem, names in self.by_stem.items():
            if (number := _LAST_NUMBER.search(stem)) is not None:
                found.setdefault(int(number[0]), []).extend(names)
        return found


def _list_folder(folder: str) -> _Listing:
    listing = _Listing(os.path.realpath(folder))
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return listing
    for entry in entries:
        listing.names.add(entry.name)
        composed = _nfc(entry.name)
        if not entry.name.isascii():
            listing.composed.setdefault(composed, []).append(entry.name)
        if entry.is_symlink():
            listing.links.add(entry.name)
        stem, suffix = os.path.splitext(composed)
        if suffix.lower() in SUFFIXES:
            listing.by_stem.setdefault(stem, []).append(entry.name)
    return listing


def _check_characters(name: str) -> None:
    try:
        has_null = b"\0" in os.fsencode(name)
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a character, which no file name has") from error
    if has_null:
        raise ValueError("holds a NUL character, which no file name has")


def _nfc(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _prefix(folder: str) -> str:
    """What paths below a folder begin with."""
    return folder if folder.endswith(os.sep) else folder + os.sep
