"""The images of a table: check them, keep them in memory, name the bad ones.

A bad image is reported or dropped with its questions, never replaced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from latentvqa.core.figures import counted
from latentvqa.data.decoding import ImageTransform, decode_image
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.data.faults import SHOWN
from latentvqa.data.folders.missing import missing_advice
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import DataError

__all__ = [
    "ImageFault",
    "ImageStore",
    "ImageTransform",
    "bad_image_message",
    "check_images",
    "decode_image",
    "drop_images",
]

Progress = Callable[[int, int], None]
T = TypeVar("T")
_BLOCK = 256
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class ImageFault:
    """An image that cannot be used.

    Attributes:
        index: its place in the list of images.
        path: its file.
        reason: what is wrong with it.
    """

    index: int
    path: Path
    reason: str


class ImageStore:
    """Transformed images by index, from memory where they all fit in it.

    Args:
        paths: image files; an index is a place in this sequence.
        transform: what makes an array of a decoded image.
        cache_mib: memory for decoded images, in MiB; 0 for none.
        workers: threads that decode; one per core if not given.
        processes: what decodes the images of a batch; these threads if not given.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        transform: ImageTransform,
        cache_mib: float,
        *,
        workers: int | None = None,
        processes: DecodingProcesses | None = None,
    ):
        self.paths, self.transform = tuple(paths), transform
        self.workers = workers or os.cpu_count() or 1
        self._processes = processes
        self.is_cached = len(paths) * self._image_bytes <= cache_mib * _MEBIBYTE
        kept = len(paths) if self.is_cached else 0
        self._pixels = np.empty((kept, 3, transform.size, transform.size), dtype=np.uint8)
        self._is_filled = np.zeros(len(paths), dtype=bool)
        self._places = np.arange(len(paths))

    def __len__(self) -> int:
        return len(self.paths)

    def load(self, progress: Progress | None = None) -> list[ImageFault]:
        """Decode every image once, keep it if there is room, and report faults."""
        faults: list[ImageFault] = []
        for index, pixels in enumerate(
            _decode_all(self.paths, self._decode, self.workers, progress)
        ):
            if isinstance(pixels, DataError):
                faults.append(_fault(index, self.paths[index], pixels))
            elif self.is_cached:
                self._pixels[self._places[index]] = pixels
                self._is_filled[self._places[index]] = True
        return faults

    def get(self, indices: np.ndarray) -> Tensor:
        """Return images as uint8, shape ``(n, 3, size, size)``.

        Raises:
            DataError: if an image cannot be decoded.
            LoaderError: if the processes that decode have ended.
        """
        places = self._places[indices]
        if self.is_cached and self._is_filled[places].all():
            return torch.from_numpy(self._pixels[places])
        paths = [self.paths[index] for index in indices]
        if not paths:
            return torch.empty((0, 3, self.transform.size, self.transform.size), dtype=torch.uint8)
        if self._processes is not None:
            return torch.from_numpy(self._processes.decode(paths, self.transform))
        with ThreadPoolExecutor(self.workers) as pool:
            return torch.from_numpy(np.stack(list(pool.map(self._decode, paths))))

    def subset(self, paths: Sequence[Path]) -> ImageStore:
        """Return a store of some of the images that shares their memory."""
        index_of = {path: index for index, path in enumerate(self.paths)}
        chosen = np.array([index_of[path] for path in paths], dtype=np.int64)
        store = ImageStore(
            paths, self.transform, 0, workers=self.workers, processes=self._processes
        )
        store.is_cached, store._pixels = self.is_cached, self._pixels
        store._is_filled, store._places = self._is_filled, self._places[chosen]
        return store

    @property
    def _image_bytes(self) -> int:
        return 3 * self.transform.size**2

    def _decode(self, path: Path) -> np.ndarray:
        return self.transform.read(path)


def check_images(
    paths: Sequence[Path], *, workers: int, progress: Progress | None = None
) -> list[ImageFault]:
    """Decode every image once and return the faults, in order."""
    return [
        _fault(index, paths[index], outcome)
        for index, outcome in enumerate(_decode_all(paths, _only_decode, workers, progress))
        if isinstance(outcome, DataError)
    ]


def bad_image_message(faults: Sequence[ImageFault], table: QuestionTable) -> str:
    """Return a message that lists the first bad images, their rows and the total."""
    bad = np.array([fault.index for fault in faults], dtype=np.int64)
    places = np.flatnonzero(np.isin(table.image_index, bad))
    lines = [
        f"{table.path}: {len(faults):,} of {counted(len(table.image_paths), 'image')} cannot be "
        f"used, asked about in {len(places):,} of {counted(len(table), 'question')}:"
    ]
    for fault in faults[:SHOWN]:
        rows = table.rows[table.image_index == fault.index]
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        lines.append(f"  row {rows[0]}{more}: {fault.path}: {fault.reason}")
    if len(faults) > SHOWN:
        lines.append(f"  and {len(faults) - SHOWN} more")
    lines += missing_advice([fault.path for fault in faults if not os.path.lexists(fault.path)])
    if len(faults) == len(table.image_paths):
        lines.append("No image can be used: check data.images and the image column.")
    else:
        lines.append('Mend the files, or drop their questions with data.on_bad_image = "skip".')
    return "\n".join(lines)


def drop_images(table: QuestionTable, bad_indices: Collection[int]) -> QuestionTable:
    """Return the table without the questions about some images.

    Raises:
        DataError: if no question is left.
    """
    bad = np.array(sorted(bad_indices), dtype=np.int64)
    kept = np.flatnonzero(~np.isin(table.image_index, bad))
    if not len(kept):
        raise DataError(f"{table.path}: no question is left without the bad images")
    return table.select(kept)


def _only_decode(path: Path) -> None:
    decode_image(path)


def _decode_all(
    paths: Sequence[Path],
    decode: Callable[[Path], T],
    workers: int,
    progress: Progress | None,
) -> Iterator[T | DataError]:
    """Yield what each path decodes to, or its error, in order, block by block."""

    def attempt(path: Path) -> T | DataError:
        try:
            return decode(path)
        except DataError as error:
            return error

    with ThreadPoolExecutor(max(1, workers)) as pool:
        for start in range(0, len(paths), _BLOCK):
            block = paths[start : start + _BLOCK]
            yield from pool.map(attempt, block)
            if progress is not None:
                progress(start + len(block), len(paths))


def _fault(index: int, path: Path, error: DataError) -> ImageFault:
    """The fault of an image, without the path that its message opens with."""
    return ImageFault(index, path, str(error).removeprefix(f"{path}: "))
