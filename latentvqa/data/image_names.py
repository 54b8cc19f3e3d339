"""Find the file that an image cell of a table names.

A folder is listed once, however many rows name images in it. A name may lack
its extension; it may not leave the images folder unless that is allowed. A
file that does not exist is no fault here: reading the images reports it.
"""

# Plain strings instead of Path objects, for a table may name a million images.
# ruff: noqa: PTH100, PTH118, PTH122

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from latentvqa.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolder:
    """The folder that the image names of a table are relative to.

    Args:
        root: the folder.
        allow_outside: accept names that lead out of the folder.

    Raises:
        DataError: if the folder does not exist.
    """

    def __init__(self, root: Path, *, allow_outside: bool = False):
        if not root.is_dir():
            raise DataError(f"{root}: no such images folder; check data.images")
        self.allow_outside = allow_outside
        self._root = os.path.abspath(root)
        self._real_root = os.path.realpath(root)
        self._listings: dict[str, _Listing] = {}

    def find(self, name: str) -> str:
        """Return the file's path relative to the root, or absolute outside it.

        Raises:
            ValueError: if the name leads out of the folder or fits several
                files; the message does not name the table.
        """
        full = os.path.normpath(os.path.join(self._root, name))
        is_below = full.startswith(self._root + os.sep)
        if not (is_below or self.allow_outside):
            raise ValueError("leads out of the images folder")
        folder, base = os.path.split(full)
        listing = self._listing(folder)
        base = listing.complete(base)
        full = os.path.join(folder, base)
        if not (self.allow_outside or self._is_really_inside(full, base, listing)):
            raise ValueError("is a link that leads out of the images folder")
        return (full[len(self._root) + 1 :] if is_below else full).replace(os.sep, "/")

    def path(self, name: str) -> Path:
        """Return the full path of a name that :meth:`find` returned."""
        return Path(self._root, name)

    def _listing(self, folder: str) -> _Listing:
        if folder not in self._listings:
            self._listings[folder] = _list_folder(folder)
        return self._listings[folder]

    def _is_really_inside(self, full: str, base: str, listing: _Listing) -> bool:
        real = os.path.realpath(full) if base in listing.links else listing.real_path
        return (real + os.sep).startswith(self._real_root + os.sep)


@dataclass(frozen=True)
class _Listing:
    """What one folder holds: file names by their NFC form and stem, links among them."""

    real_path: str
    names: dict[str, str] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    by_stem: dict[str, list[str]] = field(default_factory=dict)

    def complete(self, name: str) -> str:
        """Add the extension to a name that is no file as it stands."""
        if name in self.names:
            return self.names[name]
        found = self.by_stem.get(name, [name])
        if len(found) > 1:
            raise ValueError(f"fits {' and '.join(sorted(found))}; write the extension")
        return found[0]


def _list_folder(folder: str) -> _Listing:
    listing = _Listing(os.path.realpath(folder))
    try:
        entries = list(os.scandir(folder))
    except (OSError, ValueError):
        return listing
    for entry in entries:
        name = unicodedata.normalize("NFC", entry.name)
        listing.names[name] = entry.name
        if entry.is_symlink():
            listing.links.add(entry.name)
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in SUFFIXES:
            listing.by_stem.setdefault(stem, []).append(entry.name)
    return listing
