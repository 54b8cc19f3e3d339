"""Compare a candidate answer with its references.

Pure text rules, the same in training, evaluation and the teacher. No rule of a
language is applied unless that language is named; spellings of one word are those of
:mod:`latentvqa.core.languages`, the English rules of the VQA challenge those of
:mod:`latentvqa.core.answers.vqa_official`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from latentvqa.core.languages.spelling import spelt

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』"  # noqa: RUF001
_OPENING = _QUOTES + "¿¡"
_CLOSING = _QUOTES + ".,;:!?…。．，、；：！？؟،؛।"  # noqa: RUF001

CONTAINED_SCORE = 0.7
OVERLAP_SCORE = 0.5
OVERLAP_ABOVE = 0.5
ANLS_THRESHOLD = 0.5
ARTICLES = frozenset({"a", "an", "the"})
NUMBER_WORDS = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
}


@lru_cache(maxsize=65_536)
def normalise_answer(text: str, language: str = "") -> str:
    """Reduce an answer to the form in which two answers are compared.

    Unicode caseless form in NFC, white space collapsed, quotes and sentence
    punctuation around the answer stripped. Signs that carry meaning stay:
    ``-5``, ``.5``, ``50%`` and ``c++``. An answer of punctuation alone is kept.

    Args:
        text: the answer.
        language: with ``"en"`` articles go and number words up to ten become
            digits; with ``"vi"`` tones stand on the main vowel; other languages
            have no rules here.
    """
    plain = spelt(_without_wrapping(text), language)
    if language != "en":
        return plain
    words = [NUMBER_WORDS.get(word, word) for word in plain.split() if word not in ARTICLES]
    return " ".join(words) or plain


def _without_wrapping(text: str) -> str:
    folded = text.lower() if text.isascii() else _casefold(text)
    collapsed = " ".join(folded.split())
    return collapsed.lstrip(_OPENING + " ").rstrip(_CLOSING + " ") or collapsed


def normalised_references(
    answers: Sequence[Sequence[str]], language: str = ""
) -> list[tuple[str, ...]]:
    """The references of each row as they are compared, each once."""
    return [tuple(dict.fromkeys(normalise_answer(one, language) for one in row)) for row in answers]


def exact_match(candidate: str, references: Sequence[str], language: str = "") -> bool:
    """Say whether the candidate equals a reference after normalisation."""
    wanted = normalise_answer(candidate, language)
    return any(normalise_answer(reference, language) == wanted for reference in references)


def token_f1(candidate: str, references: Sequence[str], language: str = "") -> float:
    """Return the best word-overlap F1 over the references.

    As in SQuAD (Rajpurkar et al. 2016), but articles go only where the language
    is English.
    """
    said = _words(candidate, language)
    return max((_word_f1(said, _words(r, language)) for r in references), default=0.0)


def score_answer(candidate: str, references: Sequence[str]) -> float:
    """Grade a candidate as the teacher does: 1, 0.7, 0.5 or 0.

    1 for equality after normalisation, 0.7 if one contains the other as whole
    words, 0.5 if the Jaccard index of their word sets is above one half, else
    0. The best grade over the references counts; an empty candidate gets 0.
    """
    if not candidate.strip():
        return 0.0
    return max((_grade(candidate, reference) for reference in references), default=0.0)


def anls(candidate: str, references: Sequence[str]) -> float:
    """Return the normalised Levenshtein similarity to the nearest reference.

    After Biten et al. 2019 (arXiv:1905.13648): 1 - edits / length of the longer
    text, and 0 unless that is above one half; case and white space do not count.
    """
    wanted = {_caseless(reference) for reference in references}
    return max((_similarity(_caseless(candidate), text) for text in wanted), default=0.0)


def _casefold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _words(text: str, language: str = "") -> list[str]:
    return [normalise_answer(word) for word in normalise_answer(text, language).split()]


def _caseless(text: str) -> str:
    return " ".join(_casefold(text).split())


def _similarity(a: str, b: str) -> float:
    longest = max(len(a), len(b))
    if longest == 0:
        return 1.0
    similarity = 1.0 - _edits(a, b) / longest
    return similarity if similarity > ANLS_THRESHOLD else 0.0


def _edits(a: str, b: str) -> int:
    """Return the least number of insertions, deletions and replacements."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def _word_f1(candidate: list[str], reference: list[str]) -> float:
    common = sum((Counter(candidate) & Counter(reference)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(candidate), common / len(reference)
    return 2 * precision * recall / (precision + recall)


def _grade(candidate: str, reference: str) -> float:
    if normalise_answer(candidate) == normalise_answer(reference):
        return 1.0
    said, wanted = _words(candidate), _words(reference)
    if not said or not wanted:
        return 0.0
    if _contains(said, wanted) or _contains(wanted, said):
        return CONTAINED_SCORE
    union = set(said) | set(wanted)
    overlap = len(set(said) & set(wanted)) / len(union)
    return OVERLAP_SCORE if overlap > OVERLAP_ABOVE else 0.0


def _contains(words: list[str], part: list[str]) -> bool:
    width = len(part)
    return any(words[i : i + width] == part for i in range(len(words) - width + 1))
