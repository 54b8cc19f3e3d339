"""VQA v1 and v2: a file of questions and one of annotations with ten answers each.

As documented on visualqa.org: questions and annotations share ``question_id``;
images are named by data type, subtype and a twelve-digit id.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentvqa.data.converters.json_files import entries_of, read_json, text_of, value_of
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
                image=_image_name(questions, content, image_id),
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
    for place, entry in enumerate(entries_of(path, read_json(path), "annotations")):
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


def _answers(path: Path, where: str, given: Any) -> tuple[str, ...]:
    """Answers of the annotators, blank ones left out."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise DataError(f'{path}: {where}: "answers" is no list')
    texts = [text_of(path, f"{where}.answers[{n}]", one, "answer") for n, one in enumerate(given)]
    return tuple(text for text in texts if text.strip())


def _image_name(path: Path, content: Any, image_id: Any) -> str:
    subtype = text_of(path, "the outermost object", content, "data_subtype")
    subtype = subtype.replace("test-dev", "test")  # a part of the test images
    try:
        number = f"{int(image_id):012d}"
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: image_id {str(image_id)[:40]} is no number") from error
    kind = str(content.get("data_type") or "mscoco")
    if kind == "mscoco":
        return f"COCO_{subtype}_{number}.jpg"
    return f"{kind}_{subtype}_{number}.png"
