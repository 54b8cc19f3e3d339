"""Compare a candidate answer with its references.

Pure text rules, the same in training, evaluation and the teacher. Nothing here
knows a language, except :func:`vqa_official`, which repeats the English rules
of the VQA challenge to the letter so that its numbers can be compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』"  # noqa: RUF001
_OPENING = _QUOTES + "¿¡"
_CLOSING = _QUOTES + ".,;:!?…。．，、；：！？؟،؛।"  # noqa: RUF001

CONTAINED_SCORE = 0.7
OVERLAP_SCORE = 0.5
OVERLAP_ABOVE = 0.5


@lru_cache(maxsize=65_536)
def normalise_answer(text: str) -> str:
    """Reduce an answer to the form in which two answers are compared.

    Unicode caseless form in NFC, white space collapsed, quotes and sentence
    punctuation around the answer stripped. Signs that carry meaning stay:
    ``-5``, ``.5``, ``50%`` and ``c++``. An answer of punctuation alone is kept.
    """
    folded = text.lower() if text.isascii() else _casefold(text)
    collapsed = " ".join(folded.split())
    return collapsed.lstrip(_OPENING + " ").rstrip(_CLOSING + " ") or collapsed


def exact_match(candidate: str, references: Sequence[str]) -> bool:
    """Say whether the candidate equals a reference after normalisation."""
    wanted = normalise_answer(candidate)
    return any(normalise_answer(reference) == wanted for reference in references)


def token_f1(candidate: str, references: Sequence[str]) -> float:
    """Return the best word-overlap F1 over the references.

    As in SQuAD (Rajpurkar et al. 2016), but without removing articles, so that
    it treats every language alike.
    """
    return max((_word_f1(_words(candidate), _words(r)) for r in references), default=0.0)


def score_answer(candidate: str, references: Sequence[str]) -> float:
    """Grade a candidate as the teacher does: 1, 0.7, 0.5 or 0.

    1 for equality after normalisation, 0.7 if one contains the other as whole
    words, 0.5 if the Jaccard index of their word sets is above one half, else
    0. The best grade over the references counts; an empty candidate gets 0.
    """
    if not candidate.strip():
        return 0.0
    return max((_grade(candidate, reference) for reference in references), default=0.0)


def vqa_official(candidate: str, references: Sequence[str]) -> float:
    """Return the accuracy of the VQA challenge, from 0 to 1.

    Leave-one-out over the references (ten in the challenge): an answer given
    by at least three of the others counts fully. After the published evaluation
    of Antol et al. 2015 (github.com/GT-Vision-Lab/VQA), its quirks included:
    candidate and references are normalised only if the references differ.

    Raises:
        ValueError: with fewer than three references, where the measure cannot
            reach 1.
    """
    if len(references) < 3:
        raise ValueError(
            f"the official VQA accuracy needs at least 3 references, got {len(references)}"
        )
    cleaned = [_without_line_breaks(reference) for reference in references]
    answer = _without_line_breaks(candidate)
    if len(set(cleaned)) > 1:
        cleaned = [_official_form(reference) for reference in cleaned]
        answer = _official_form(answer)
    total, matching = len(cleaned), cleaned.count(answer)
    left_out_matches = matching * min(1.0, (matching - 1) / 3)
    left_out_differs = (total - matching) * min(1.0, matching / 3)
    return (left_out_matches + left_out_differs) / total


def _casefold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _words(text: str) -> list[str]:
    return [normalise_answer(word) for word in normalise_answer(text).split()]


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


# The rules of the VQA challenge.

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_ARTICLES = frozenset({"a", "an", "the"})
_NUMBER_WORDS = {
    "none": "0",
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
_DIGIT_COMMA = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
# The published code passes re.UNICODE, which is 32, where the count belongs.
_PERIODS_REMOVED = 32
_CONTRACTED = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't
    haven't he'd he'd've he's how'd how'll how's I'd've I'm I've isn't it'd it'd've it'll ma'am
    might've mightn't mightn't've must've mustn't needn't not've o'clock oughtn't 'ow's'at shan't
    she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd
    someone'd've someone'll someone's something'd something'd've something'll that's there'd
    there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've
    weren't what'll what're what's what've when's where'd where's where've who'd who'd've who'll
    who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll
    you'd you'd've you'll you're you've
"""


def _contraction_table() -> dict[str, str]:
    """Map each contraction with one apostrophe lost to its full spelling."""
    table = {
        full[:place] + full[place + 1 :]: full
        for full in _CONTRACTED.split()
        for place, letter in enumerate(full)
        if letter == "'"
    }
    return table | {"somebody'd": "somebodyd"}  # reversed in the published table


_CONTRACTIONS = _contraction_table()


def _without_line_breaks(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _official_form(text: str) -> str:
    has_digit_comma = _DIGIT_COMMA.search(text) is not None
    result = text
    for mark in _PUNCTUATION:
        touches_space = f"{mark} " in text or f" {mark}" in text
        result = result.replace(mark, "" if touches_space or has_digit_comma else " ")
    result = _PERIOD.sub("", result, count=_PERIODS_REMOVED)
    words = (_NUMBER_WORDS.get(word, word) for word in result.lower().split())
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)
