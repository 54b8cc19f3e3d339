"""Texts in the spelling of their language, where it has several for one word."""

from __future__ import annotations

from latentvqa.core.languages.vietnamese import spellings_of, with_tones_on_main_vowels

_SPELLINGS = {"vi": with_tones_on_main_vowels}
_OTHER_SPELLINGS = {"vi": spellings_of}
LANGUAGES = tuple(_SPELLINGS)


def has_spelling(language: str) -> bool:
    """Whether words of a language (ISO 639) are brought to one spelling."""
    return language in _SPELLINGS


def spelt(text: str, language: str) -> str:
    """Return a text with each word in the one spelling that it has here.

    Args:
        text: any text, in other languages as well.
        language: as in ``text.language``; without a spelling of its own, or empty,
            the text is given back as it is.
    """
    rule = _SPELLINGS.get(language)
    return text if rule is None else rule(text)


def other_spellings(word: str, language: str) -> tuple[str, ...]:
    """Return what else :func:`spelt` brings to a word, where that is one syllable.

    Args:
        word: as :func:`spelt` gives it.
        language: as there.
    """
    rule = _OTHER_SPELLINGS.get(language)
    return () if rule is None else rule(word)
