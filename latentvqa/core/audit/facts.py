"""What an audit measures of question tables and their images; values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rows:
    """Rows of a table that have something in common.

    Attributes:
        share: fraction of all its rows.
        first: numbers of the first ten, as in the file.
    """

    share: float = 0.0
    first: tuple[int, ...] = ()


@dataclass(frozen=True)
class TopAnswer:
    """The most frequent answer of a question type.

    Attributes:
        rows: questions of the type.
        answer: normalised reference of most of them.
        share: fraction of the rows that have it.
    """

    rows: int
    answer: str
    share: float


@dataclass(frozen=True)
class TableFacts:
    """What was measured of one table.

    Attributes:
        name: path as given.
        rows: questions.
        images: distinct images.
        answers: distinct normalised references; 0 for a table without answers.
        duplicates: rows that repeat image, question and answers of an earlier one.
        conflicts: rows whose image and question another row answers without any
            answer in common.
        top_answers: by type; one named ``all`` without types.
        priors: exact match of each image-blind model, fitted on other images than
            those it is scored on; empty where that cannot be.
        truncated_questions: rows cut at ``text.max_question_tokens``.
        truncated_answers: rows cut at ``text.max_answer_tokens``.
        unknown_words: share of question words outside the training vocabulary.
    """

    name: str
    rows: int
    images: int
    answers: int
    duplicates: Rows
    conflicts: Rows
    top_answers: Mapping[str, TopAnswer]
    priors: Mapping[str, float]
    truncated_questions: Rows
    truncated_answers: Rows
    unknown_words: float


@dataclass(frozen=True)
class PairFacts:
    """A later table against the first one, which is trained on.

    Attributes:
        train: name of the first table.
        other: name of the later one.
        leaked_paths: the later one's rows whose image is also trained on.
        copied_contents: those whose image has the decoded pixels of one that is
            trained on under another name; None where the images were not read.
        unseen_answers: those without a reference that is trained on; None for a
            table without answers.
        near_copies: those whose image is no such copy, but a re-encoded, resized
            or cropped one; None where the images were not read.
    """

    train: str
    other: str
    leaked_paths: Rows
    copied_contents: Rows | None
    unseen_answers: Rows | None
    near_copies: Rows | None = None


@dataclass(frozen=True)
class FolderFacts:
    """A table against a folder of further images.

    Attributes:
        folder: path as given.
        images: files in it that were read.
        left_out: what else lies in it, by kind; empty if nothing does.
        table: name of the table.
        copied_contents: rows whose image has the decoded pixels of one in it.
        near_copies: rows whose image is a re-encoded, resized or cropped copy.
    """

    folder: str
    images: int
    left_out: str
    table: str
    copied_contents: Rows
    near_copies: Rows


@dataclass(frozen=True)
class NearCopy:
    """Two images that show the same with other pixels.

    Attributes:
        path: file of one.
        like: file of the other.
    """

    path: str
    like: str


@dataclass(frozen=True)
class BadImage:
    """An image that cannot be used.

    Attributes:
        path: its file.
        fault: what is wrong.
        table: name of a table that asks about it.
        row: the first row there that does.
    """

    path: str
    fault: str
    table: str
    row: int


@dataclass(frozen=True)
class ImageFacts:
    """What was measured of the image files.

    Attributes:
        images: files that the tables name.
        missing: of them not there.
        corrupt: of them not to be read or decoded.
        first_faults: the first ten.
        copies: by table, rows whose image has the decoded pixels of an earlier
            one of it.
        modes: colour modes, by count.
        widths: least, median and largest width in pixels.
        heights: the same of the height.
        near_copies: by table, rows whose image is no such copy, but a re-encoded,
            resized or cropped one of an earlier one of it.
        first_near_copies: the first ten pairs of such images in all tables and folders.
        plain: files with too little detail to be known but by equal pixels.
        folders: tables against folders of further images.
    """

    images: int
    missing: int
    corrupt: int
    first_faults: Sequence[BadImage]
    copies: Mapping[str, Rows]
    modes: Mapping[str, int]
    widths: tuple[int, int, int]
    heights: tuple[int, int, int]
    near_copies: Mapping[str, Rows] = field(default_factory=dict)
    first_near_copies: Sequence[NearCopy] = ()
    plain: int = 0
    folders: Sequence[FolderFacts] = ()
