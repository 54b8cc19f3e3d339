"""What is asked about which picture, in the order of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentvqa.core.answers.matching import exact_match
from latentvqa.data.cells import CellReader, clean_text
from latentvqa.data.folders.pictures import PictureFile
from latentvqa.data.table_files import is_table, parse_table, read_table_bytes
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import ConfigError, DataError
from latentvqa.regular_files import read_regular_text


@dataclass(frozen=True)
class Asked:
    """One row that is to be answered.

    Attributes:
        picture: place of the picture among those of the :class:`Asking`.
        question: place of the question.
        id: of the row; empty where the rows have none.
        references: the right answers; empty where they are not known.
    """

    picture: int
    question: int
    id: str = ""
    references: tuple[str, ...] = ()

    def is_right(self, answer: str) -> bool | None:
        """Whether an answer is one of the right ones; None where none is known."""
        return exact_match(answer, self.references) if self.references else None


@dataclass(frozen=True)
class Asking:
    """Questions about pictures: every question about every one, or the rows of a table.

    Attributes:
        pictures: the pictures.
        questions: different questions.
        pairs: places of picture and question of each row, shape ``(rows, 2)``;
            None for every question about every picture.
        ids: of the rows; empty where they have none.
        references: right answers of each row; empty where they are not known.
    """

    pictures: Sequence[PictureFile]
    questions: Sequence[str]
    pairs: NDArray[np.int64] | None = None
    ids: Sequence[str] = field(default=())
    references: Sequence[tuple[str, ...]] = field(default=())

    def __len__(self) -> int:
        if self.pairs is None:
            return len(self.pictures) * len(self.questions)
        return len(self.pairs)

    def row(self, place: int) -> Asked:
        """What is asked at a place in the order of the answers."""
        if self.pairs is None:
            return Asked(*divmod(place, len(self.questions)))
        picture, question = self.pairs[place].tolist()
        return Asked(
            picture,
            question,
            self.ids[place] if self.ids else "",
            self.references[place] if self.references else (),
        )

    def shard(self, number: int, of: int) -> range:
        """The rows of one of several equal parts; those about one picture stay together.

        Args:
            number: of the part, from 1 on.
            of: parts.
        """
        whole = 1 if self.pairs is not None else len(self.questions)
        groups = len(self) // whole
        ends = [groups * place // of * whole for place in (number - 1, number)]
        return range(*ends)


def asking_of_table(table: QuestionTable) -> Asking:
    """The rows of a table, in its order."""
    questions = list(dict.fromkeys(table.questions))
    place_of = {text: place for place, text in enumerate(questions)}
    asked = np.array([place_of[text] for text in table.questions], dtype=np.int64)
    pictures = [
        PictureFile(name, path)
        for name, path in zip(table.image_names, table.image_paths, strict=True)
    ]
    return Asking(
        pictures,
        questions,
        np.stack([table.image_index.astype(np.int64), asked], axis=1),
        table.ids or (),
        table.answers if any(table.answers) else (),
    )


def read_question_lines(path: Path) -> list[str]:
    """Read one question per line, blank lines left out; of a table, its column ``question``.

    A CSV whose first line is a single cell other than ``question`` is read by lines.

    Raises:
        DataError: if the file cannot be read, holds no question, or names images too.
    """
    if not is_table(path):
        return _lines(path, "question")
    if path.suffix.lower() in (".csv", ".tsv"):
        lines = _lines(path, "question")
        if not {",", "\t", ";"} & set(lines[0]) and clean_text(lines[0]) != "question":
            return lines
    table = parse_table(path, read_table_bytes(path))
    if "image" in table.names:
        raise DataError(f"{path}: its rows name their images: give it as --pairs")
    if "question" not in table.names:
        raise DataError(
            f"{path}: a table without a column 'question'; rename one, or give a text file "
            "with one question per line"
        )
    reader = CellReader(path, table.rows)
    return list(dict.fromkeys(reader.texts(table.column("question"), "question")))


def read_answer_lines(path: Path) -> list[str]:
    """Read one answer per line, each once, blank lines left out.

    Raises:
        DataError: if the file cannot be read or holds no answer.
    """
    return list(dict.fromkeys(_lines(path, "answer")))


def parse_shard(text: str) -> tuple[int, int]:
    """Number and count of ``2/8``.

    Raises:
        ConfigError: if it is written otherwise.
    """
    number, slash, of = text.partition("/")
    try:
        found = int(number), int(of)
    except ValueError:
        found = (0, 0)
    if not slash or not 1 <= found[0] <= found[1]:
        raise ConfigError(f"--shard {text}: write the second of eight parts as 2/8")
    return found


def _lines(path: Path, what: str) -> list[str]:
    try:
        lines = read_regular_text(path, "utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; name one that holds one {what} per line") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise DataError(f"{path}: no {what} in it; write one per line")
    return found
