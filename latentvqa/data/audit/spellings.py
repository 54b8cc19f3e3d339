"""Words that stand in tables in two spellings, which a language here makes one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from latentvqa.core.languages.spelling import LANGUAGES, spelt
from latentvqa.data.tables import QuestionTable

_WORD = re.compile(r"[^\W_]+")


def words_in_two_spellings(
    tables: Sequence[QuestionTable], language: str
) -> dict[str, list[tuple[str, str]]]:
    """Words that occur both as a language spells them here and in another way.

    Args:
        tables: their questions and answers are read.
        language: the one whose spellings are one already; empty for none.

    Returns:
        By language, each word as it is spelt otherwise and as it is here, in the
        order of the alphabet; without languages that have no such words.
    """
    if language in LANGUAGES:
        return {}
    words = _words(chain.from_iterable(_texts(table) for table in tables))
    found = {}
    for one in LANGUAGES:
        pairs = [(word, spelt(word, one)) for word in sorted(words)]
        two = [(word, here) for word, here in pairs if here != word and here in words]
        if two:
            found[one] = two
    return found


def _texts(table: QuestionTable) -> Iterable[str]:
    return chain(table.questions, chain.from_iterable(table.answers))


def _words(texts: Iterable[str]) -> set[str]:
    """Every caseless word that is not ASCII, which has one spelling."""
    chunks = {chunk for text in texts if not text.isascii() for chunk in text.split()}
    cut = (_WORD.findall(chunk.lower()) for chunk in chunks if not chunk.isascii())
    return {word for words in cut for word in words if not word.isascii()}
