"""Facts about image files: every file read, decoded, and known by its fingerprint."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from latentvqa.core.audit.facts import BadImage, ImageFacts
from latentvqa.data.audit.fingerprints import Fingerprint, fingerprint_of
from latentvqa.data.decoding import MAX_PIXELS, read_image
from latentvqa.data.faults import SHOWN
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import DataError

_BLOCK = 256


@dataclass(frozen=True)
class FileFacts:
    """One file.

    Attributes:
        fingerprint: of its decoded pixels; None if it cannot be decoded.
        mode: colour mode as stored; None if it cannot be decoded.
        size: width and height in pixels; None if it cannot be decoded.
        fault: why it cannot be used; None if it can.
        is_missing: there is no such file.
    """

    fingerprint: Fingerprint | None = None
    mode: str | None = None
    size: tuple[int, int] | None = None
    fault: str | None = None
    is_missing: bool = False


def inspect_images(
    paths: Sequence[Path],
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    max_pixels: int = MAX_PIXELS,
) -> list[FileFacts]:
    """Read and decode every file, several at a time, in the order given.

    Args:
        paths: the files.
        progress: called with files done and in all; may raise to stop.
        max_pixels: larger images are faults.
    """
    inspect = partial(_inspect, max_pixels=max_pixels)
    found: list[FileFacts] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, len(paths), _BLOCK):
            found += pool.map(inspect, paths[start : start + _BLOCK])
            progress(len(found), len(paths))
    return found


def image_facts(tables: Sequence[QuestionTable], files: Mapping[Path, FileFacts]) -> ImageFacts:
    """Put the facts of all files together; their copies are another matter.

    Args:
        tables: what names the images.
        files: facts of each.
    """
    sizes = [file.size for file in files.values() if file.size is not None]
    widths, heights = np.array(sizes).reshape(-1, 2).T
    faulty = {path for path, file in files.items() if file.fault is not None}
    missing = sum(file.is_missing for file in files.values())
    return ImageFacts(
        images=len(files),
        missing=missing,
        corrupt=len(faulty) - missing,
        first_faults=[
            BadImage(str(path), files[path].fault or "", str(table.path), row)
            for table in tables
            for path, row in _first_rows(table, faulty)
        ][:SHOWN],
        copies={},
        modes=dict(Counter(file.mode for file in files.values() if file.mode).most_common()),
        widths=_spread(widths),
        heights=_spread(heights),
    )


def _first_rows(table: QuestionTable, faulty: set[Path]) -> list[tuple[Path, int]]:
    """The table's faulty images and the first row of each, in the order of the rows."""
    images, firsts = np.unique(table.image_index, return_index=True)
    found = [
        (table.image_paths[place], int(table.rows[first]))
        for place, first in zip(images.tolist(), firsts.tolist(), strict=True)
        if table.image_paths[place] in faulty
    ]
    return sorted(found, key=lambda image: image[1])


def _inspect(path: Path, max_pixels: int) -> FileFacts:
    try:
        found = read_image(path, max_pixels=max_pixels)
    except DataError as error:
        reason = str(error).removeprefix(f"{path}: ")
        return FileFacts(fault=reason, is_missing=not path.exists())
    return FileFacts(fingerprint_of(found.image), found.mode, found.size)


def _spread(values: np.ndarray) -> tuple[int, int, int]:
    if not len(values):
        return (0, 0, 0)
    return (int(values.min()), int(np.median(values)), int(values.max()))
