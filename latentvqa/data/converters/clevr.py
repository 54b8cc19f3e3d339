"""CLEVR (Johnson et al. 2017): a list of questions with the file name of their image.

As documented with the data set: images lie in ``images/SPLIT``; the last
function of a question's program is what it asks for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentvqa.data.converters.json_files import entries_of, read_json, text_of
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError


def read_clevr(questions: Path) -> list[ConvertedRow]:
    """Read ``CLEVR_*_questions.json``; image names are relative to ``images/SPLIT``.

    Raises:
        DataError: naming file and entry.
    """
    rows = []
    seen: set[str] = set()
    content = read_json(questions, _keep_last_function)
    for place, entry in enumerate(entries_of(questions, content, "questions")):
        where = f"questions[{place}]"
        image = text_of(questions, where, entry, "image_filename")
        number = entry.get("question_index")
        question_id = "" if number is None else text_of(questions, where, entry, "question_index")
        if question_id and question_id in seen:
            raise DataError(f"{questions}: {where}: question_index {number} stands there twice")
        seen.add(question_id)
        rows.append(
            ConvertedRow(
                image=image,
                question=text_of(questions, where, entry, "question"),
                answers=(text_of(questions, where, entry, "answer"),)
                if entry.get("answer") is not None
                else (),
                type=_type(entry.get("program")),
                id=question_id,
            )
        )
    return rows


def _keep_last_function(entry: dict[str, Any]) -> None:
    if isinstance(program := entry.get("program"), list):
        entry["program"] = program[-1:]


def _type(program: Any) -> str:
    if not isinstance(program, list) or not program or not isinstance(program[-1], dict):
        return ""
    # the published file says "type" in some versions and "function" in others
    return str(program[-1].get("function") or program[-1].get("type") or "")
