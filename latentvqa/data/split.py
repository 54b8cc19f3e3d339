"""Hold out images for validation, and tell tables apart.

A split is always by image: rows of one image, or of images that are known to show
the same, never stand on both sides.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentvqa.core.figures import counted
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import DataError
from latentvqa.sums import read_summed, replace_summed

_HEADER = ["image", "split"]
_TRAIN, _VAL = "train", "val"
_ADVICE = (
    "Put back a copy of it, or let `latentvqa train --resume` make it anew; other rows can be "
    "evaluated with --data FILE --images DIR."
)


def split_by_image(
    table: QuestionTable,
    fraction: float,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> tuple[QuestionTable, QuestionTable]:
    """Split into training and validation by image name.

    The choice depends on the seed and the names alone, not on the order of
    rows, so a table that grows keeps most of its split.

    Args:
        table: all rows.
        fraction: share of the images to hold out, between 0 and 1.
        seed: chooses among the splits.
        groups: a number for each image; those with the same one stay on one
            side, shape ``(images,)``. Without it every image stands alone.

    Raises:
        DataError: if the fraction is not between 0 and 1, or there are fewer
            than two images or groups.
    """
    if not 0 < fraction < 1:
        raise DataError(f"validation fraction {fraction}: must lie between 0 and 1")
    count = len(table.image_names)
    if count < 2:
        raise DataError(
            f"{table.path}: one image cannot be split into training and validation; "
            "add images or give data.val"
        )
    held_out = min(max(round(count * fraction), 1), count - 1)
    members: dict[int, list[int]] = {}
    for place, group in enumerate(range(count) if groups is None else groups.tolist()):
        members.setdefault(group, []).append(place)
    if len(members) < 2:
        raise DataError(
            f"{table.path}: all {count} images are copies of one another and cannot be split into "
            "training and validation; give data.val, or set data.keep_copies_together = false"
        )
    # named by its first image, so that a group is drawn no sooner for its size
    order = sorted(members.values(), key=lambda places: _draw(seed, table.image_names[places[0]]))
    is_val = np.zeros(count, dtype=bool)
    for places in order:
        if len(places) <= held_out:
            is_val[places] = True
            held_out -= len(places)
    if not is_val.any():
        is_val[min(order, key=len)] = True
    return _split_rows(table, is_val)


def write_split(path: Path, train: QuestionTable, val: QuestionTable) -> None:
    """Write which image went to which side, as CSV with columns image, split."""
    replace_summed({path: split_content(train, val)})


def split_content(train: QuestionTable, val: QuestionTable) -> bytes:
    """What :func:`write_split` writes."""
    sides = [(name, _TRAIN) for name in train.image_names]
    sides += [(name, _VAL) for name in val.image_names]
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Python quotes no lone carriage return by itself
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(_HEADER)
    for name, side in sorted(sides):
        (quoted if "\r" in name else plain).writerow([name, side])
    return text.getvalue().encode()


def read_split(path: Path, table: QuestionTable) -> tuple[QuestionTable, QuestionTable]:
    """Split a table as a file written by :func:`write_split` says.

    Raises:
        DamagedFileError: if the file is not what was written.
        DataError: if it is unreadable or does not cover the table.
    """
    try:
        text = read_summed(path, _ADVICE).decode()
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: the split cannot be read: {error}") from error
    if records[:1] != [_HEADER]:
        raise DataError(f"{path}: row 1: the columns must be image,split")
    side_of: dict[str, str] = {}
    for row, record in enumerate(records[1:], start=2):
        if len(record) != 2 or record[1] not in (_TRAIN, _VAL):
            raise DataError(f"{path}: row {row}: must be an image and train or val, got {record}")
        if side_of.setdefault(record[0], record[1]) != record[1]:
            raise DataError(f"{path}: row {row}: image {record[0]!r} stands on both sides")
    unknown = [name for name in table.image_names if name not in side_of]
    if unknown:
        raise DataError(
            f"{path}: the split lacks {counted(len(unknown), 'image')} of {table.path}, "
            f"first {unknown[0]!r}; the table has changed since the split was made"
        )
    is_val = np.array([side_of[name] == _VAL for name in table.image_names], dtype=bool)
    if is_val.all() or not is_val.any():
        raise DataError(f"{path}: all images of {table.path} are on one side of the split")
    return _split_rows(table, is_val)


def shared_images(a: QuestionTable, b: QuestionTable) -> float:
    """Return the share of b's rows whose image, links resolved, also stands in a."""
    known = {path.resolve() for path in a.image_paths}
    is_shared = np.array([path.resolve() in known for path in b.image_paths], dtype=bool)
    return float(is_shared[b.image_index].mean()) if len(b) else 0.0


def fingerprint(table: QuestionTable) -> dict[str, Any]:
    """Return what identifies a table in a log: path, sha256, rows, images."""
    return {
        "path": str(table.path),
        "sha256": table.sha256,
        "rows": len(table),
        "images": len(table.image_paths),
    }


def _draw(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{name}".encode("utf-8", "surrogatepass")).digest()


def _split_rows(table: QuestionTable, is_val: np.ndarray) -> tuple[QuestionTable, QuestionTable]:
    row_is_val = is_val[table.image_index]
    return table.select(np.flatnonzero(~row_is_val)), table.select(np.flatnonzero(row_is_val))
