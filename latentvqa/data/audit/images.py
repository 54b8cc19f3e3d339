"""Facts about image files: every file read, hashed and really decoded."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from latentvqa.core.audit.facts import BadImage, ImageFacts, Rows
from latentvqa.data.audit.tables import rows_of
from latentvqa.data.decoding import FORMATS, decode_image
from latentvqa.data.faults import SHOWN
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import DataError

_BLOCK = 256


@dataclass(frozen=True)
class FileFacts:
    """One file.

    Attributes:
        sha256: of its bytes; None if they cannot be read.
        mode: colour mode as stored; None if it cannot be decoded.
        size: width and height in pixels; None if it cannot be decoded.
        fault: why it cannot be used; None if it can.
        is_missing: there is no such file.
    """

    sha256: str | None = None
    mode: str | None = None
    size: tuple[int, int] | None = None
    fault: str | None = None
    is_missing: bool = False


def inspect_images(
    paths: Sequence[Path], progress: Callable[[int, int], None] = lambda done, total: None
) -> list[FileFacts]:
    """Read and decode every file, several at a time, in the order given.

    Args:
        paths: the files.
        progress: called with files done and in all; may raise to stop.
    """
    found: list[FileFacts] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, len(paths), _BLOCK):
            found += pool.map(_inspect, paths[start : start + _BLOCK])
            progress(len(found), len(paths))
    return found


def image_facts(tables: Sequence[QuestionTable], files: Mapping[str, FileFacts]) -> ImageFacts:
    """Put the facts of all files together.

    Args:
        tables: what names the images.
        files: facts of each, by image name.
    """
    sizes = [file.size for file in files.values() if file.size is not None]
    widths, heights = np.array(sizes).reshape(-1, 2).T
    faulty = {name for name, file in files.items() if file.fault is not None}
    missing = sum(file.is_missing for file in files.values())
    return ImageFacts(
        images=len(files),
        missing=missing,
        corrupt=len(faulty) - missing,
        first_faults=[
            BadImage(str(table.image_paths[place]), files[name].fault or "", str(table.path), row)
            for table in tables
            for place, name, row in _first_rows(table, faulty)
        ][:SHOWN],
        copies={str(table.path): _copies(table, files) for table in tables},
        modes=dict(Counter(file.mode for file in files.values() if file.mode).most_common()),
        widths=_spread(widths),
        heights=_spread(heights),
    )


def _first_rows(table: QuestionTable, faulty: set[str]) -> list[tuple[int, str, int]]:
    """Place, name and first row of the table's faulty images, in the order of the rows."""
    images, firsts = np.unique(table.image_index, return_index=True)
    found = [
        (place, table.image_names[place], int(table.rows[first]))
        for place, first in zip(images.tolist(), firsts.tolist(), strict=True)
        if table.image_names[place] in faulty
    ]
    return sorted(found, key=lambda image: image[2])


def _copies(table: QuestionTable, files: Mapping[str, FileFacts]) -> Rows:
    """Rows of a table whose image has the bytes of an earlier one under another name."""
    first_of: dict[str, str] = {}
    is_copy = np.zeros(len(table.image_names), dtype=bool)
    for place in dict.fromkeys(table.image_index.tolist()):
        name = table.image_names[place]
        digest = files[name].sha256
        is_copy[place] = digest is not None and first_of.setdefault(digest, name) != name
    return rows_of(table, is_copy[table.image_index])


def _inspect(path: Path) -> FileFacts:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        return FileFacts(fault=error.strerror or str(error), is_missing=is_missing)
    try:
        decode_image(path)
        with Image.open(path, formats=FORMATS) as image:
            return FileFacts(digest, image.mode, image.size)
    except DataError as error:
        return FileFacts(digest, fault=str(error).partition(": ")[2])


def _spread(values: np.ndarray) -> tuple[int, int, int]:
    if not len(values):
        return (0, 0, 0)
    return (int(values.min()), int(np.median(values)), int(values.max()))
