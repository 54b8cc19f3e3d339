"""GQA (Hudson and Manning 2019): an object of questions by id, in one file or several.

As documented with the data set: ``imageId``, ``question``, ``answer`` and
``types`` of each question; images are ``imageId.jpg``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentvqa.data.converters.json_files import read_json, text_of
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError

# most of the published bytes, and of no use to a question table
_REASONING = ("semantic", "semanticStr", "annotations", "entailed", "equivalent", "fullAnswer")


def read_gqa(questions: Path) -> list[ConvertedRow]:
    """Read a file of questions, or a folder of such files.

    Raises:
        DataError: naming file and question.
    """
    files = sorted(questions.glob("*.json")) if questions.is_dir() else [questions]
    if not files:
        raise DataError(f"{questions}: no .json file in it")
    rows: list[ConvertedRow] = []
    seen: set[str] = set()
    for path in files:
        content = read_json(path, _drop_reasoning)
        if not isinstance(content, dict):
            raise DataError(f"{path}: no object of questions by id; is it a file of GQA?")
        for question_id, entry in content.items():
            if question_id in seen:
                raise DataError(f"{path}: question {question_id} stands there twice")
            seen.add(question_id)
            rows.append(_row(path, question_id, entry))
    return rows


def _drop_reasoning(entry: dict[str, Any]) -> None:
    for key in _REASONING:
        entry.pop(key, None)


def _row(path: Path, question_id: str, entry: object) -> ConvertedRow:
    where = f"question {question_id}"
    image = text_of(path, where, entry, "imageId")
    question = text_of(path, where, entry, "question")
    assert isinstance(entry, dict), "text_of has looked"
    types = entry.get("types")
    return ConvertedRow(
        image=f"{image}.jpg",
        question=question,
        answers=(text_of(path, where, entry, "answer"),) if entry.get("answer") is not None else (),
        type=str(types.get("structural") or "") if isinstance(types, dict) else "",
        id=question_id,
    )
