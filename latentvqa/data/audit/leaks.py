"""Which rows ask about an image that also stands elsewhere, as it is or as a near-copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentvqa.core.audit.facts import FolderFacts, ImageFacts, NearCopy, Rows
from latentvqa.data.audit.images import FileFacts
from latentvqa.data.audit.near_copies import find_copies
from latentvqa.data.folders.search import FolderImages
from latentvqa.data.tables import QuestionTable

_FIRST = 10  # rows and pairs that are listed

_Claims = NDArray[np.bool_]


class KnownImages:
    """What the images of tables and folders show.

    Args:
        files: facts of every file.
    """

    def __init__(self, files: Mapping[Path, FileFacts]) -> None:
        self._files = files
        self._copies = find_copies([file.fingerprint for file in files.values()])
        self._number_of = dict(zip(files, self._copies.contents.tolist(), strict=True))
        self._like: dict[int, set[int]] = {}
        for first, second in self._copies.alike.tolist():
            self._like.setdefault(first, set()).add(second)
            self._like.setdefault(second, set()).add(first)

    def found_in(self, table: QuestionTable, paths: Iterable[Path]) -> tuple[_Claims, _Claims]:
        """Which images of a table are among some files, and which are near-copies of them.

        Returns:
            Equal pixels, and near-copies without equal pixels, ``(images,)`` each.
        """
        numbers = {self._number_of[path] for path in paths}
        mine = [self._number_of[path] for path in table.image_paths]
        is_equal = np.array([number in numbers for number in mine], dtype=bool)
        is_alike = [not numbers.isdisjoint(self._like.get(number, ())) for number in mine]
        return is_equal, np.array(is_alike, dtype=bool) & ~is_equal

    def within(self, facts: ImageFacts, tables: Sequence[QuestionTable]) -> ImageFacts:
        """Add what of each table is an earlier image of it again."""
        copies, near = {}, {}
        for table in tables:
            equal, alike = self._repeated(table)
            copies[str(table.path)] = rows_of(table, equal[table.image_index])
            near[str(table.path)] = rows_of(table, alike[table.image_index])
        path_of: dict[int, str] = {}
        for path, number in self._number_of.items():
            path_of.setdefault(number, str(path))
        pairs = [
            NearCopy(path_of[second], path_of[first])
            for first, second in self._copies.alike[:_FIRST].tolist()
        ]
        return replace(
            facts,
            copies=copies,
            near_copies=near,
            first_near_copies=pairs,
            plain=self._copies.plain,
        )

    def against(self, table: QuestionTable, folder: Path, found: FolderImages) -> FolderFacts:
        """Look for the images of a table among the files of a folder."""
        equal, alike = self.found_in(table, found.paths)
        return FolderFacts(
            folder=str(folder),
            images=sum(self._files[path].fault is None for path in found.paths),
            left_out=found.left_out_text,
            table=str(table.path),
            copied_contents=rows_of(table, equal[table.image_index]),
            near_copies=rows_of(table, alike[table.image_index]),
        )

    def _repeated(self, table: QuestionTable) -> tuple[_Claims, _Claims]:
        """Which images have the pixels of an earlier one, and which are near-copies of one."""
        count = len(table.image_paths)
        equal, alike = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        seen: set[int] = set()
        for place in dict.fromkeys(table.image_index.tolist()):
            number = self._number_of[table.image_paths[place]]
            equal[place] = number in seen
            alike[place] = not (equal[place] or seen.isdisjoint(self._like.get(number, ())))
            seen.add(number)
        return equal, alike


def rows_of(table: QuestionTable, is_meant: _Claims) -> Rows:
    """Share and first numbers of the rows that are meant, ``(rows,)``."""
    return Rows(float(is_meant.mean()), tuple(table.rows[is_meant][:_FIRST].tolist()))
