"""Which column of a table is the image, the question, the answer: by its name and its cells."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latentvqa.data.cells import cell_text, is_missing
from latentvqa.data.columns import LOGICAL_COLUMNS
from latentvqa.data.folders.names import ImageFolder
from latentvqa.data.formats.kinds import SUFFIXES
from latentvqa.data.table_formats.table_file import TableFile

# without accents and signs; a name is any of these, or begins or ends with one of four
# letters or more
_NAMES: dict[str, tuple[str, ...]] = {
    "image": (
        *("image", "images", "imageid", "imagename", "imagepath", "imagefile", "img", "imgid"),
        *("imgname", "imgpath", "filename", "filepath", "file", "path", "photo", "picture"),
        *("anh", "hinhanh", "hinh", "tenanh", "maanh", "imagem", "imagen", "bild"),
    ),
    "question": (
        *("question", "questions", "questiontext", "query", "prompt", "q", "ask"),
        *("cauhoi", "hoi", "pregunta", "pergunta", "frage", "domanda", "sentence"),
    ),
    "answer": (
        *("answer", "answertext", "label", "target", "gt", "groundtruth", "a", "response"),
        *("cautraloi", "traloi", "dapan", "respuesta", "resposta", "reponse", "antwort"),
    ),
    "answers": ("answers", "allanswers", "references", "answerlist"),
    "type": (
        *("type", "questiontype", "qtype", "answertype", "category", "kind"),
        *("loai", "loaicauhoi", "dangcauhoi"),
    ),
    "id": ("id", "questionid", "qid", "uid", "qaid", "macauhoi", "sampleid"),
}
_SAMPLED = 2000  # rows that are looked at
_SURE_NAME = 0.9
_LEAST_IMAGES = 0.5  # share of the cells that name images on the disk


@dataclass(frozen=True)
class ColumnFacts:
    """What the cells of a column look like, each a share of those that are not missing.

    Attributes:
        name: of the column.
        examples: a few different cells.
        found: cells that name an image in the folder.
        named: cells that end like the name of an image.
        asking: cells that end with a question mark.
        distinct: different cells.
        words: mean number of words.
        lists: cells that are lists.
        numbers: cells that are whole numbers.
    """

    name: str
    examples: tuple[str, ...]
    found: float
    named: float
    asking: float
    distinct: float
    words: float
    lists: float
    numbers: float


@dataclass(frozen=True)
class GuessedColumns:
    """A proposal for the columns of a table.

    Attributes:
        columns: the table's name for each logical column that it seems to have.
        unsure: logical columns that the user should confirm: found by their cells
            alone, or not at all.
        facts: of all columns, in their order.
    """

    columns: Mapping[str, str]
    unsure: tuple[str, ...]
    facts: Sequence[ColumnFacts] = field(repr=False, default=())

    @property
    def renamed(self) -> dict[str, str]:
        """Those whose name in the table differs: what ``data.columns`` must say."""
        return {logical: name for logical, name in self.columns.items() if logical != name}

    @property
    def unused(self) -> list[str]:
        """The table's other columns, which nothing reads."""
        return [one.name for one in self.facts if one.name not in self.columns.values()]


def guess_columns(
    table: TableFile, folder: ImageFolder | None, given: Mapping[str, str] | None = None
) -> GuessedColumns:
    """Propose the columns of a table.

    Args:
        table: the table.
        folder: where its images are looked for; None where there is none.
        given: columns that the user named; they are taken as they are.
    """
    facts = [
        _facts(name, table.cells_at(place), folder)
        for place, name in enumerate(table.names)
        if name
    ]
    columns = dict(given or {})
    unsure = []
    for logical in ("image", "question", "answers", "answer", "type", "id"):
        if logical in columns or (logical == "answer" and "answers" in columns):
            continue
        free = [one for one in facts if one.name not in columns.values()]
        scores = [(_score(logical, one), one) for one in free]
        best, chosen = max(scores, key=lambda item: item[0], default=(0.0, None))
        if chosen is None or best <= 0.0:
            if logical in ("image", "question", "answer"):
                unsure.append(logical)
            continue
        columns[logical] = chosen.name
        has_name = _name_score(logical, chosen.name) > 0.0
        is_near = any(
            score > 0.8 * best and (not has_name or _name_score(logical, one.name) > 0.0)
            for score, one in scores
            if one is not chosen
        )
        if logical in ("image", "question", "answer") and is_near:
            unsure.append(logical)
    return GuessedColumns(
        {logical: columns[logical] for logical in LOGICAL_COLUMNS if logical in columns},
        tuple(unsure),
        facts,
    )


def names_an_image(names: Sequence[str], folder: ImageFolder | None) -> bool:
    """Whether a table's header is a row: one of its names is that of an image on the disk."""
    return folder is not None and any(_is_there(folder, name) for name in names if name)


def _facts(name: str, cells: Sequence[object], folder: ImageFolder | None) -> ColumnFacts:
    step = max(1, len(cells) // _SAMPLED)
    known = [cell for cell in cells[::step] if not is_missing(cell)]
    texts = [cell_text(cell) for cell in known]
    texts = [text for text in texts if text]
    count = max(1, len(texts))
    distinct = dict.fromkeys(texts)
    found = 0
    if folder is not None:
        there = {text for text in distinct if _is_there(folder, text)}
        found = sum(text in there for text in texts)
    return ColumnFacts(
        name=name,
        examples=tuple(distinct)[:3],
        found=found / count,
        named=sum(os.path.splitext(text)[1].lower() in SUFFIXES for text in texts) / count,  # noqa: PTH122
        asking=sum(text.rstrip(" \"'").endswith(("?", "？")) for text in texts) / count,  # noqa: RUF001
        distinct=len(distinct) / count,
        words=sum(len(text.split()) for text in texts) / count,
        lists=sum(isinstance(cell, list) or _is_list(cell_text(cell)) for cell in known) / count,
        numbers=sum(text.isdigit() for text in texts) / count,
    )


def _score(logical: str, facts: ColumnFacts) -> float:
    """How well a column fits; 0 where it cannot be the one."""
    name = _name_score(logical, facts.name)
    is_image = max(facts.found, facts.named) >= _LEAST_IMAGES and name < _SURE_NAME
    return 0.0 if is_image and logical != "image" else _SCORES[logical](facts, name)


def _image_score(facts: ColumnFacts, name: float) -> float:
    if facts.found >= _LEAST_IMAGES:
        return 10.0 * facts.found + name
    return name + 3.0 * facts.named if facts.words < 3 else 0.0


def _question_score(facts: ColumnFacts, name: float) -> float:
    if not name and facts.asking <= 0.5 and facts.words < 3:
        return 0.0
    return 3.0 * name + 3.0 * facts.asking + min(facts.words, 6.0) / 6.0 + 0.5 * facts.distinct


def _answer_score(facts: ColumnFacts, name: float) -> float:
    is_counter = facts.distinct == facts.numbers == 1.0
    if max(facts.asking, facts.lists) > 0.5 or (is_counter and not name):
        return 0.0
    return 3.0 * name + 1.0 + 0.5 * (1.0 - facts.distinct)


_SCORES: dict[str, Callable[[ColumnFacts, float], float]] = {
    "image": _image_score,
    "question": _question_score,
    "answers": lambda facts, name: name + 4.0 * facts.lists if facts.lists > 0.5 else 0.0,
    "answer": _answer_score,
    "type": lambda facts, name: name if facts.distinct < 0.5 else 0.0,
    "id": lambda facts, name: name if facts.distinct > 0.99 else 0.0,
}


def _name_score(logical: str, name: str) -> float:
    plain = _plain(name)
    if plain == logical:
        return 1.0
    names = _NAMES[logical]
    if plain in names:
        return _SURE_NAME
    others = [one for key, known in _NAMES.items() if key != logical for one in known]
    if plain in others:
        return 0.0
    long = [one for one in names if len(one) >= 4]
    return 0.6 if plain.startswith(tuple(long)) or plain.endswith(tuple(long)) else 0.0


def _plain(name: str) -> str:
    """A name without case, accents and signs; the Vietnamese d with stroke is a d."""
    folded = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", folded)


def _is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]")


def _is_there(folder: ImageFolder, cell: str) -> bool:
    try:
        return Path(folder.path(folder.find(cell))).is_file()
    except (ValueError, OSError):
        return False
