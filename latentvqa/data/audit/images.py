"""Facts about image files: every file read, hashed and really decoded."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from latentvqa.core.audit_rules import ImageFacts
from latentvqa.data.decoding import FORMATS, decode_image
from latentvqa.data.faults import SHOWN
from latentvqa.errors import DataError

_BLOCK = 256


@dataclass(frozen=True)
class FileFacts:
    """One file.

    Attributes:
        sha256: of its bytes; None if there is no such file.
        mode: colour mode as stored; None if it cannot be decoded.
        size: width and height in pixels; None if it cannot be decoded.
        fault: why it cannot be used; None if it can.
    """

    sha256: str | None
    mode: str | None = None
    size: tuple[int, int] | None = None
    fault: str | None = None


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


def image_facts(paths: Sequence[Path], files: Sequence[FileFacts]) -> ImageFacts:
    """Put the facts of all files together."""
    sizes = np.array([file.size for file in files if file.size is not None]).reshape(-1, 2)
    faults = [
        (str(path), file.fault)
        for path, file in zip(paths, files, strict=True)
        if file.fault is not None
    ]
    missing = sum(file.sha256 is None for file in files)
    return ImageFacts(
        images=len(files),
        missing=missing,
        corrupt=len(faults) - missing,
        first_faults=faults[:SHOWN],
        modes=dict(Counter(file.mode for file in files if file.mode).most_common()),
        widths=_spread(sizes[:, 0]),
        heights=_spread(sizes[:, 1]),
    )


def _inspect(path: Path) -> FileFacts:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return FileFacts(None, fault=error.strerror or str(error))
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
