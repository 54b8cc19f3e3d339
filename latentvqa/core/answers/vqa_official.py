"""The accuracy of the VQA challenge, its English rules and quirks to the letter.

Nothing here is to be improved: its numbers are comparable only as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from latentvqa.core.answers.matching import ARTICLES, NUMBER_WORDS

FEWEST_REFERENCES = 4
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_NUMBER_WORDS = {**NUMBER_WORDS, "none": "0"}
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


def vqa_official(candidate: str, references: Sequence[str]) -> float:
    """Return the accuracy of the VQA challenge, from 0 to 1.

    Leave-one-out over the references (ten in the challenge): an answer given
    by at least three of the others counts fully. After the published evaluation
    of Antol et al. 2015 (github.com/GT-Vision-Lab/VQA), its quirks included:
    candidate and references are normalised only if the references differ.

    Raises:
        ValueError: with fewer than four references, where the measure cannot
            reach 1: one is left out, and three of the others must agree.
    """
    if len(references) < FEWEST_REFERENCES:
        raise ValueError(
            f"the official VQA accuracy needs at least {FEWEST_REFERENCES} references, "
            f"got {len(references)}"
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
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)
