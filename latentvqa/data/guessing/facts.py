"""What a table and its images are like: as much as a first configuration needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from PIL import Image

from latentvqa.core.figures import counted
from latentvqa.data.decoding import read_image
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.errors import DataError

_LOOKED_AT = 50  # images that are decoded
_SAMPLE = 64  # pixels a side that are looked at
_PLAIN_COLOURS, _PLAIN_SHARE = 8, 0.85  # so few colours make up most of a drawing


@dataclass(frozen=True)
class DataFacts:
    """What was found.

    Attributes:
        table: the table.
        missing: images that the table names and the folder lacks.
        unreadable: images that cannot be read, of those that were decoded.
        side: median of the shorter side of the images, in pixels; None if none could be
            read.
        are_photographs: whether most images are made of many colours or greys.
        answers: different answers.
        once: share of the rows whose answer occurs once.
    """

    table: QuestionTable
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    side: int | None
    are_photographs: bool
    answers: int
    once: float


def data_facts(path: Path, images: Path, columns: Mapping[str, str]) -> DataFacts:
    """Read a table and look at some of its images.

    Args:
        path: the table.
        images: folder of its images.
        columns: as ``data.columns``.

    Raises:
        DataError: if the table cannot be read, or no image of it is there.
    """
    table = read_questions(path, columns=columns, images=images)
    places = dict(zip(table.image_names, table.image_paths, strict=True))
    there = {name: place for name, place in places.items() if place.is_file()}
    missing = tuple(name for name in places if name not in there)
    if not there:
        raise DataError(
            f"{path}: none of its {counted(len(places), 'image')} is in {images}; the first "
            f"is {missing[0]}. Name the folder that they are in."
        )
    step = max(1, len(there) // _LOOKED_AT)
    sides, unreadable, photographs = [], [], 0
    for name in list(there)[::step]:
        try:
            image = read_image(there[name]).image
        except DataError:
            unreadable.append(name)
            continue
        sides.append(min(image.size))
        photographs += _is_photograph(image)
    counts = Counter(table.targets)
    return DataFacts(
        table=table,
        missing=missing,
        unreadable=tuple(unreadable),
        side=int(median(sides)) if sides else None,
        are_photographs=photographs > len(sides) / 2,
        answers=len(counts),
        once=sum(count == 1 for count in counts.values()) / len(table),
    )


def _is_photograph(image: Image.Image) -> bool:
    small = image.resize((_SAMPLE, _SAMPLE), Image.Resampling.NEAREST)
    counts = sorted((count for count, _ in small.getcolors(_SAMPLE**2) or ()), reverse=True)
    return sum(counts[:_PLAIN_COLOURS]) < _PLAIN_SHARE * _SAMPLE**2
