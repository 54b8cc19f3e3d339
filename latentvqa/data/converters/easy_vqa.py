"""easy-VQA (github.com/vzhou842/easy-VQA): triples of question, answer and image id."""

from __future__ import annotations

from pathlib import Path

from latentvqa.data.converters.json_files import checked_text, read_json
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError

_TRIPLE = 3


def read_easy_vqa(questions: Path) -> list[ConvertedRow]:
    """Read ``questions.json`` of a split; images are ``ID.png`` in the folder beside it.

    Raises:
        DataError: naming file and entry.
    """
    content = read_json(questions)
    if not isinstance(content, list):
        raise DataError(f"{questions}: no list of questions; is it a file of easy-VQA?")
    rows = []
    for place, entry in enumerate(content):
        if not isinstance(entry, list) or len(entry) != _TRIPLE:
            raise DataError(f"{questions}: entry {place} is not [question, answer, image id]")
        question, answer, image = (
            checked_text(questions, f"entry {place}: its {name}", value)
            for name, value in zip(("question", "answer", "image id"), entry, strict=True)
        )
        rows.append(ConvertedRow(f"{image}.png", question, (answer,), _type(question, answer)))
    return rows


def _type(question: str, answer: str) -> str:
    if answer in ("yes", "no"):
        return "yes/no"
    return "color" if "color" in question else "shape"
