"""Question tables: which question is asked about which image, and its answers.

Every cell is text, exactly as the file has it but for Unicode NFC, white space
around it and characters that nobody sees: the answers "None", "NA" and "01" stay
what they are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from posixpath import normpath

import numpy as np

from latentvqa.core.figures import counted
from latentvqa.core.quoting import shortened
from latentvqa.data.cells import AnswerCells, CellReader, cell_text
from latentvqa.data.columns import LOGICAL_COLUMNS, find_columns
from latentvqa.data.faults import Faults
from latentvqa.data.folders.names import ImageFolder
from latentvqa.data.guessing.columns import guess_columns
from latentvqa.data.table_files import parse_table, read_table_bytes
from latentvqa.data.table_formats.table_file import TableFile
from latentvqa.errors import DataError

__all__ = ["LOGICAL_COLUMNS", "QuestionTable", "read_questions"]


@dataclass(frozen=True, eq=False)
class QuestionTable:
    """Questions about images; row ``i`` of every sequence is one question.

    Attributes:
        path: the file that was read.
        sha256: hash of its bytes.
        image_paths: each image once, sorted by name.
        image_names: their paths relative to the images folder, with ``/``;
            absolute for an image outside it.
        image_index: place of each row's image in ``image_paths``, shape
            ``(rows,)``.
        questions: the question texts.
        answers: the references of each row; empty where there are none.
        types: the question types, if the table has them.
        ids: the question ids, if the table has them.
        rows: row number in the file, header of a CSV = 1, shape ``(rows,)``.
        notes: what was changed in reading, as sentences for the user.
    """

    path: Path
    sha256: str
    image_paths: tuple[Path, ...]
    image_names: tuple[str, ...]
    image_index: np.ndarray
    questions: list[str]
    answers: list[tuple[str, ...]]
    types: list[str] | None
    ids: list[str] | None
    rows: np.ndarray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.questions)

    def select(self, row_indices: Sequence[int] | np.ndarray) -> QuestionTable:
        """Return a table of these rows, in this order, and of their images."""
        chosen = np.asarray(row_indices, dtype=np.int64)
        kept, image_index = np.unique(self.image_index[chosen], return_inverse=True)
        places = chosen.tolist()
        return replace(
            self,
            image_paths=tuple(self.image_paths[i] for i in kept),
            image_names=tuple(self.image_names[i] for i in kept),
            image_index=image_index.astype(np.int64),
            questions=[self.questions[i] for i in places],
            answers=[self.answers[i] for i in places],
            types=None if self.types is None else [self.types[i] for i in places],
            ids=None if self.ids is None else [self.ids[i] for i in places],
            rows=self.rows[chosen],
        )

    def reference(self, row: int) -> str:
        """Return the most frequent reference of a row, the first in a tie.

        A row without references has the empty text.
        """
        return self.targets[row]

    @cached_property
    def targets(self) -> list[str]:
        """The most frequent reference of every row: what the model learns."""
        return [_most_frequent(references) for references in self.answers]


def read_questions(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    usual_columns: Mapping[str, str] | None = None,
    images: Path | None = None,
    allow_outside: bool = False,
    require_answers: bool = True,
    needs_images: bool = True,
) -> QuestionTable:
    """Read a question table from CSV, TSV, JSONL, JSON or Parquet.

    Args:
        path: the table; its suffix names the format.
        columns: the file's name for a logical column (``image``, ``question``,
            ``answer``, ``answers``, ``type``, ``id``) where the two differ.
        usual_columns: the same of a table of the kind, as the one that a model was
            trained on; used where this one has columns of these names.
        images: folder that image names are relative to.
        allow_outside: accept images outside that folder.
        require_answers: refuse a table without answers; otherwise answers are
            read where the table has them.
        needs_images: refuse to go without ``images``; otherwise a missing folder
            leaves the names as the table has them.

    Raises:
        DataError: naming the file and, up to ten of one kind, row and column.
    """
    data = read_table_bytes(path)
    file = parse_table(path, data)
    if not len(file.rows):
        raise DataError(f"{path}: the table has no rows below its header")
    found = find_columns(
        path,
        file.names,
        columns or {},
        require_answers=require_answers,
        usual=usual_columns,
        guess=lambda: guess_columns(file, None).columns,
    )
    if images is None and needs_images:
        raise DataError(f"{path}: data.images is needed: the folder with the images of the table")
    reader = CellReader(path, file.rows)
    image_cells = reader.file_names(file.column(found["image"]), found["image"])
    numbered: Mapping[str, str] = {}
    if images is None:
        found_names = {cell: normpath(cell_text(cell)) for cell in set(image_cells)}
        names, image_index = _index_of(image_cells, found_names)
        image_paths = tuple(map(Path, names))
    else:
        folder = ImageFolder(images, allow_outside=allow_outside)
        names, image_index = _find_images(path, folder, image_cells, file.rows, found["image"])
        numbered = folder.numbered
        image_paths = tuple(map(folder.path, names))
    questions = reader.texts(file.column(found["question"]), found["question"])
    answers = _read_answers(file, found, reader, is_required=require_answers)
    types, ids = (_read_optional(file, found, reader, logical) for logical in ("type", "id"))
    return QuestionTable(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        image_paths=image_paths,
        image_names=names,
        image_index=image_index,
        questions=questions,
        answers=answers,
        types=types,
        ids=ids,
        rows=file.rows,
        notes=(*reader.notes(), *_number_notes(path, numbered)),
    )


def _number_notes(path: Path, numbered: Mapping[str, str]) -> list[str]:
    if not numbered:
        return []
    cell, name = next(iter(numbered.items()))
    count = counted(len(numbered), "image")
    return [f"{path}: {count} found by the number alone, as {cell} for {name}"]


def _find_images(
    path: Path, folder: ImageFolder, cells: list[str], rows: np.ndarray, column: str
) -> tuple[tuple[str, ...], np.ndarray]:
    wrong = Faults(
        path,
        "image names that cannot be used",
        "Images outside data.images are read only with data.allow_outside = true.",
    )
    found: dict[str, str] = {}
    for place, cell in enumerate(cells):
        if cell in found:
            continue
        try:
            found[cell] = folder.find(cell)
        except ValueError as error:
            wrong.add(int(rows[place]), f"column {column!r}: {shortened(cell, 200)} {error}")
    wrong.raise_if_any()
    return _index_of(cells, found)


def _index_of(cells: list[str], found: Mapping[str, str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Sorted image names, and the place of each cell's among them."""
    names = tuple(sorted(set(found.values())))
    place_of_name = {name: place for place, name in enumerate(names)}
    place_of_cell = {cell: place_of_name[name] for cell, name in found.items()}
    index = np.fromiter((place_of_cell[cell] for cell in cells), np.int64, count=len(cells))
    return names, index


def _read_answers(
    file: TableFile, found: Mapping[str, str], reader: CellReader, *, is_required: bool
) -> list[tuple[str, ...]]:
    logical = "answers" if "answers" in found else "answer"
    if logical not in found:
        return [()] * len(file.rows)
    cells = AnswerCells(reader, found[logical], is_list=logical == "answers")
    return cells.read(file.column(found[logical]), is_required=is_required)


def _read_optional(
    file: TableFile, found: Mapping[str, str], reader: CellReader, logical: str
) -> list[str] | None:
    if logical not in found:
        return None
    return reader.texts(file.column(found[logical]), found[logical], may_be_blank=True)


def _most_frequent(references: tuple[str, ...]) -> str:
    if len(references) < 2:
        return references[0] if references else ""
    return Counter(references).most_common(1)[0][0]
