"""Where the tables and images of a run are now: known by their sums, wherever they lie.

``images.csv`` in the run folder holds the SHA-256 of every image that lies outside
it; sums of the tables stand in the log.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from latentvqa.config import Data
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.tables import known_sum
from latentvqa.errors import CheckpointError
from latentvqa.regular_files import open_regular
from latentvqa.sums import read_summed, replace_summed

Progress = Callable[[int, int], None]
Sums = dict[tuple[str, str], str]  # by side and image
_HEADER = ["split", "image", "sha256"]
_ADVICE = (
    "Put back a copy of it, or the images at their old place; or remove it, and images at a new "
    "place are taken for the same."
)
_SHOWN = 3  # images in a message


def sum_of(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def image_sums(run: Path, tables: Sequence[tuple[str, QuestionTable]], progress: Progress) -> Sums:
    """Sums of the images of a run by side and name, but of those in its own folder."""
    inside = run.resolve()
    wanted = [
        (side, name, path)
        for side, table in tables
        for name, path in zip(table.image_names, table.image_paths, strict=True)
        if not path.resolve().is_relative_to(inside)
    ]
    found = _summed([path for _, _, path in wanted], progress)
    return {(side, name): total for (side, name, _), total in zip(wanted, found, strict=True)}


def write_image_sums(run: Path, sums: Sums) -> None:
    """Keep the sums in the run folder."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows((side, name, total) for (side, name), total in sums.items())
    content = text.getvalue().encode("utf-8", "surrogateescape")
    replace_summed({RunFolder(run).image_sums: content})


def require_same_images(
    run: Path, tables: Sequence[tuple[str, QuestionTable]], progress: Progress
) -> str:
    """Compare images at a new place with those that a run began with.

    Returns:
        What the reader should know; empty where all were compared.

    Raises:
        CheckpointError: naming images that differ.
    """
    expected = _known_sums(run)
    if expected is None:
        return f"{run} keeps no sums of its images: those at the new place are taken for the same"
    keys = [(side, name) for side, table in tables for name in table.image_names]
    paths = [path for _, table in tables for path in table.image_paths]
    found = _summed(paths, progress)
    differing = [
        path
        for key, path, total in zip(keys, paths, found, strict=True)
        if total != expected.get(key, total)
    ]
    if differing:
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise CheckpointError(
            f"not the images that {run} was trained on: {', '.join(map(str, differing[:_SHOWN]))}"
            f"{more} of {len(paths):,} differ in their SHA-256 or are missing"
        )
    return ""


def is_own_table(run: Path, data: Data, table: Path) -> bool:
    """Whether a table is the one that a run validates on, which is not in its place any more."""
    role, place = ("train", data.train) if data.val is None else ("val", data.val)
    if place is None or place.exists():
        return False
    expected = known_sum(run, role)
    return expected is not None and expected == sum_of(table)


def moved(data: Data, table: Path | None, images: Path | None) -> Data:
    """The data of a run with its validation table and images at a new place."""
    change: dict[str, Path] = {}
    if table is not None:
        change["train" if data.val is None else "val"] = table
    if images is not None:
        own_folder = data.val is not None and data.val_images is not None
        change["val_images" if own_folder else "images"] = images
    return data.model_copy(update=change)


def _known_sums(run: Path) -> Sums | None:
    path = RunFolder(run).image_sums
    if not path.exists():
        return None
    try:
        text = read_summed(path, _ADVICE).decode(errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        sums = {(side, name): total for side, name, total in rows[1:]}
    except (OSError, ValueError, csv.Error) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
    if rows[:1] != [_HEADER]:
        raise CheckpointError(f"{path}: row 1: the columns must be {','.join(_HEADER)}")
    return sums


def _summed(paths: Sequence[Path], progress: Progress) -> list[str]:
    def told() -> Iterator[str]:
        with ThreadPoolExecutor() as pool:
            for done, total in enumerate(pool.map(sum_of, paths), start=1):
                progress(done, len(paths))
                yield total

    return list(told())
