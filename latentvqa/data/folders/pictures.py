"""The pictures that a user names: files, folders, lists of files and archives."""

from __future__ import annotations

import tarfile
import weakref
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from latentvqa.data.decoding import MAX_PIXELS, DecodedImage, read_image, read_image_bytes
from latentvqa.data.folders.search import (
    OTHER_FILES,
    images_below,
    left_out_text,
    litter_in,
    suffix_kind,
)
from latentvqa.data.formats.kinds import PICTURE_SUFFIXES
from latentvqa.errors import DataError
from latentvqa.regular_files import open_regular, read_regular_text

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LIST_SUFFIX = ".txt"
_MOST_BYTES = 2**28  # of one picture in an archive, which is read as a whole


@dataclass(frozen=True)
class PictureFile:
    """A picture that can be read.

    Attributes:
        name: what the rows about it call it.
        path: the file, or the archive that it is in.
        archive: what it is read from; None for a file.
        member: its name in the archive.
    """

    name: str
    path: Path
    archive: _Zip | _Tar | None = field(default=None, compare=False)
    member: str = ""

    def read(self, max_pixels: int = MAX_PIXELS) -> DecodedImage:
        """Decode it: upright, in RGB.

        Raises:
            DataError: if it cannot be read or decoded.
        """
        if self.archive is None:
            return read_image(self.path, max_pixels=max_pixels)
        where = f"{self.path}: {self.member}"
        try:
            data = self.archive.read(self.member)
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, *_ARCHIVE_ERRORS) as error:
            raise DataError(f"{where}: cannot be read: {error}") from error
        return read_image_bytes(data, where, max_pixels=max_pixels)


@dataclass(frozen=True)
class FoundPictures:
    """What was found under the names that a user gave.

    Attributes:
        pictures: in the order of the names, each file once.
        left_out: how many other files were left out, by kind.
    """

    pictures: list[PictureFile] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def left_out_text(self) -> str:
        """What was left out, the most frequent kinds first; empty where nothing was."""
        return left_out_text(self.left_out)


def find_pictures(places: Sequence[Path]) -> FoundPictures:
    """Find the pictures in folders, archives and lists, and single ones.

    A single folder or archive names its pictures by their path in it; of several,
    the name begins with that of the folder or archive, as it was given. A list is a
    text file with one path a line, relative to the list.

    Args:
        places: what the user named.

    Raises:
        DataError: if one of them is not there, cannot be read, or holds no picture.
    """
    found = FoundPictures()
    seen: set[tuple[str, str]] = set()
    for place in places:
        known = _found_at(place, is_alone=len(places) == 1)
        found.left_out.update(known.left_out)
        for picture in known.pictures:
            key = (str(picture.path), picture.member)
            if key in seen:
                found.left_out["pictures that are named twice"] += 1
                continue
            seen.add(key)
            found.pictures.append(picture)
    return found


def is_archive(path: Path) -> bool:
    """Whether a name is that of an archive that is read."""
    return path.name.lower().endswith(ARCHIVES)


def _found_at(place: Path, *, is_alone: bool) -> FoundPictures:
    before = "" if is_alone else f"{place.as_posix()}/"
    if place.is_dir():
        inside = images_below(place)
        pictures = [
            PictureFile(before + path.relative_to(place).as_posix(), path) for path in inside.paths
        ]
        return FoundPictures(pictures, inside.left_out)
    if not place.exists():
        raise DataError(f"{place}: no such picture, folder of pictures, list or archive")
    if is_archive(place):
        return _found_in_archive(place, before)
    if place.suffix.lower() == LIST_SUFFIX:
        return FoundPictures(_listed(place))
    return FoundPictures([PictureFile(place.as_posix(), place)])


def _listed(file: Path) -> list[PictureFile]:
    try:
        lines = read_regular_text(file, "utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as a list of paths: {error}") from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DataError(f"{file}: no path in it; write one a line")
    return [PictureFile(name, file.parent / name) for name in names]


def _found_in_archive(place: Path, before: str) -> FoundPictures:
    found = FoundPictures()
    try:
        archive = _Zip(place) if place.suffix.lower() == ".zip" else _Tar(place)
        members = archive.members()
    except (OSError, EOFError, RuntimeError, ValueError, *_ARCHIVE_ERRORS) as error:
        raise DataError(f"{place}: cannot be read as an archive: {error}") from error
    found.left_out.update(archive.left_out)
    for member in members:
        kind = litter_in(member)
        suffix = PurePosixPath(member).suffix.lower()
        if kind is None and suffix not in PICTURE_SUFFIXES:
            kind = suffix_kind(suffix)
        if kind is None:
            found.pictures.append(PictureFile(before + member, place, archive, member))
        else:
            found.left_out[kind] += 1
    if not found.pictures:
        besides = f"; left out: {found.left_out_text}" if found.left_out else ""
        raise DataError(f"{place}: no picture in it{besides}")
    return found


class _Zip:
    def __init__(self, path: Path) -> None:
        file = open_regular(path)
        weakref.finalize(self, file.close)
        self._archive = zipfile.ZipFile(file)
        self.left_out = Counter[str]()

    def members(self) -> list[str]:
        return [one.filename for one in self._archive.infolist() if not one.is_dir()]

    def read(self, member: str) -> bytes:
        with self._archive.open(member) as file:
            return _bounded(file)


class _Tar:
    """A tar archive; links in it lead to other members, and never out of it."""

    def __init__(self, path: Path) -> None:
        file = open_regular(path)
        weakref.finalize(self, file.close)
        self._archive = tarfile.open(fileobj=file)  # noqa: SIM115 - open as long as it is read from
        weakref.finalize(self, self._archive.close)
        self.left_out = Counter[str]()

    def members(self) -> list[str]:
        members = self._archive.getmembers()
        self._require_end()
        others = sum(one.isdev() for one in members)
        self.left_out.update({OTHER_FILES: others} if others else {})
        return [one.name for one in members if one.isfile() or one.islnk() or one.issym()]

    def _require_end(self) -> None:
        """Refuse what is cut or damaged: the library takes that for the end, without a word."""
        after = self._archive.fileobj
        if after is not None:
            after.seek(self._archive.offset)
            if after.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError(
                    "it is cut short or damaged, and what it holds from byte "
                    f"{self._archive.offset:,} on cannot be told. Make it anew"
                )

    def read(self, member: str) -> bytes:
        file = self._archive.extractfile(member)
        if file is None:
            raise ValueError("it is no file")
        with file:
            return _bounded(file)


_ARCHIVE_ERRORS = (zipfile.BadZipFile, tarfile.TarError)


def _bounded(file: IO[bytes]) -> bytes:
    data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES:,} bytes")
    return data
