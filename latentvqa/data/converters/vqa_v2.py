"""VQA v1 and v2: a file of questions and one of annotations with ten answers each.

As documented on visualqa.org: questions and annotations share ``question_id``;
images are named by data type, subtype and a twelve-digit id.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
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
    known: dict[str, _Annotation] = {}
    if annotations is not None:
        known, subtype = _annotations(annotations)
        stated = content.get("data_subtype")
        if None not in (subtype, stated) and subtype != stated:
            raise DataError(
                f"{annotations}: of {subtype}, and {questions} is of {stated}; the files must be "
                "of one split"
            )
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
        found = known.get(question_id, _Annotation())
        image_id = value_of(questions, where, entry, "image_id")
        image = _image_name(questions, where, content, image_id)
        if found.image_id is not None and str(found.image_id) != str(image_id):
            raise DataError(
                f"{annotations}: question_id {question_id} is about image_id {found.image_id}, and "
                f"about {image_id} in {questions}: {where}; the files must be of one split"
            )
        rows.append(
            ConvertedRow(
                image=image,
                question=text_of(questions, where, entry, "question"),
                answers=found.answers,
                type=found.type,
                id=question_id,
            )
        )
    if lost := [question_id for question_id in known if question_id not in seen]:
        raise DataError(
            f"{annotations}: {len(lost)} annotations have no question in {questions}, the first of "
            f"question_id {lost[0]}; the files must be of one split"
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Annotation:
    answers: tuple[str, ...] = ()
    type: str = ""
    image_id: Any = None


def _annotations(path: Path) -> tuple[dict[str, _Annotation], Any]:
    """The annotations by question, and the split that the file says it is of."""
    found: dict[str, _Annotation] = {}
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
        type_ = str(entry.get("answer_type") or "")
        found[question_id] = _Annotation(answers, type_, entry.get("image_id"))
    return found, content.get("data_subtype")


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
