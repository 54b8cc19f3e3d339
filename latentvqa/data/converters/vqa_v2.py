"""VQA v1 and v2: a file of questions and one of annotations with ten answers each.

As documented on visualqa.org: questions and annotations share ``question_id``;
images are named by data type, subtype and a twelve-digit id.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from latentvqa.data.converters.json_files import (
    checked_text,
    entries_of,
    read_json,
    text_of,
    value_of,
)
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError


def read_vqa_v2(questions: Path, annotations: Path | None) -> list[ConvertedRow]:
    """Read a pair of files, or questions alone.

    Args:
        questions: ``v2_OpenEnded_mscoco_*_questions.json``.
        annotations: ``v2_mscoco_*_annotations.json``; absent for test sets.

    Raises:
        DataError: naming file and entry.
    """
    content = read_json(questions)
    entries = entries_of(questions, content, "questions")
    known = {} if annotations is None else _annotations(annotations)
    rows, seen = [], set()
    for place, entry in enumerate(entries):
        where = f"questions[{place}]"
        question_id = text_of(questions, where, entry, "question_id")
        if question_id in seen:
            raise DataError(f"{questions}: {where}: question_id {question_id} stands there twice")
        seen.add(question_id)
        if annotations is not None and question_id not in known:
            raise DataError(
                f"{annotations}: no annotation of question_id {question_id} "
                f"({questions}: {where}); the files must be of one split"
            )
        answers, kind = known.get(question_id, ((), ""))
        image_id = value_of(questions, where, entry, "image_id")
        rows.append(
            ConvertedRow(
                image=_image_name(questions, where, content, image_id),
                question=text_of(questions, where, entry, "question"),
                answers=answers,
                type=kind,
                id=question_id,
            )
        )
    if lost := [question_id for question_id in known if question_id not in seen]:
        raise DataError(
            f"{annotations}: {len(lost)} annotations have no question in {questions}, the first of "
            f"question_id {lost[0]}; the files must be of one split"
        )
    return rows


def _annotations(path: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    content = read_json(path, _keep_texts)
    for place, entry in enumerate(entries_of(path, content, "annotations")):
        where = f"annotations[{place}]"
        question_id = text_of(path, where, entry, "question_id")
        if question_id in found:
            raise DataError(f"{path}: {where}: question_id {question_id} stands there twice")
        given = value_of(path, where, entry, "answers")
        answers = _answers(path, where, given)
        if not answers:
            raise DataError(f"{path}: {where}: no answer in it")
        found[question_id] = (answers, str(entry.get("answer_type") or ""))
    return found


def _keep_texts(entry: dict[str, Any]) -> None:
    """Replace the answers of an annotation by their texts, if they are as documented.

    A tuple tells them from a list of the file, which JSON gives back as a list.
    """
    given = entry.get("answers")
    if isinstance(given, list) and all(
        isinstance(one, dict) and isinstance(one.get("answer"), str) for one in given
    ):
        entry["answers"] = tuple(sys.intern(one["answer"]) for one in given)


def _answers(path: Path, where: str, given: Any) -> tuple[str, ...]:
    """Answers of the annotators, blank ones left out."""
    if not isinstance(given, list | tuple):
        raise DataError(f'{path}: {where}: "answers" is no list')
    texts = []
    for place, one in enumerate(given):
        inner = f"{where}.answers[{place}]"
        text = one if isinstance(given, tuple) else value_of(path, inner, one, "answer")
        if not isinstance(text, str) or text.strip():
            texts.append(checked_text(path, f'{inner}: "answer"', text))
    return tuple(texts)


def _image_name(path: Path, where: str, content: Any, image_id: Any) -> str:
    subtype = text_of(path, "the outermost object", content, "data_subtype")
    subtype = subtype.replace("test-dev", "test")  # a part of the test images
    if not str(image_id).isdecimal():
        raise DataError(f'{path}: {where}: "image_id" is {str(image_id)[:40]}, not a whole number')
    number = str(image_id).zfill(12)
    kind = str(content.get("data_type") or "mscoco")
    if kind == "mscoco":
        return f"COCO_{subtype}_{number}.jpg"
    return f"{kind}_{subtype}_{number}.png"
