"""Vietnamese syllables in one spelling, wherever their tone was placed.

A syllable with a glide before its main vowel has been written in two ways since
the school books changed: hòa and hoà, khỏe and khoẻ, thủy and thuỷ. Here the tone
stands on the main vowel, as in the school books and as everybody writes longer rimes
(hoàn, khuỷu, thuyền). One rule then holds for all syllables, also for a tone that
slipped onto the glide (hòan) or onto a letter of qu and gi (qùy, gỉa). Letters are
never changed: quý and quí stay two words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

LEAST_SHARE = 0.01  # of all letters; about 12 % of running text, in other languages none

_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
_TONES = (_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT)
_STOPPED_TONES = (_ACUTE, _DOT)  # all that a syllable on -c, -ch, -p, -t can have
_STOPS = ("c", "ch", "p", "t")
_MARKED = "ăâêôơ"  # in a rime of two vowels the tone stands on these

_ONSETS = "- b ch d đ g h kh l m n ng nh ph r s t th tr v x"  # the first is none
# what follows each glide: the main vowel, and what ends the syllable
_AFTER_O = "a ac ach ai am an ang anh ao ap at ay ăc ăm ăn ăng ăt e em en eo et"
_AFTER_U = "ân âng ât ây ê êch ên ênh êt ơ ơi ơn y ya ych yn ynh yp yt yu yên yêt"
_AFTER_QU = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt ân âng ât âu ây e en eo et "
    "ê êch ên ênh êt êu i ich in inh it iu ô ôc ơ ơi ơn ơt y ych yn ynh yp yt yên yêt"
)
_AFTER_GI = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e em en eo ep et êc êm ên êng êt êu o oc oi om on ong op ot ô ôc ôi ôm ôn ông ôp ôt "
    "ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uôc uôi uôm uôn uông uôt "
    "ư ưa ưc ưng ươi ươm ươn ương ươp ươt"
)

# marks belong to a word, so that one with marks of no tone is none of the table
_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+")
# a tone above or below o, u or i, which another letter follows
_MOVABLE = re.compile("[òóõỏọùúũủụìíĩỉị][^\\W\\d_]", re.IGNORECASE)
# marks that no other language sets: a hook, or a tone on a letter that has a mark already
_OWN = frozenset(
    unicodedata.normalize("NFC", letter + tone)
    for letters, tones in (("aăâeêioôơuưy", (_HOOK,)), ("ăâêôơư", _TONES))
    for letter in letters
    for tone in tones
)


def with_tones_on_main_vowels(text: str) -> str:
    """Return the text in NFC, the tone of each Vietnamese syllable on its main vowel.

    Only whole words that are such a syllable are changed, in upper or lower case.
    What another language spells exactly like one is taken for it.
    """
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    if _MOVABLE.search(composed) is None:
        return composed
    return _WORD.sub(lambda found: _respelt(found[0]), composed)


def spellings_of(word: str) -> tuple[str, ...]:
    """What else :func:`with_tones_on_main_vowels` brings to a word: hòa to hoà.

    Args:
        word: in NFC, one syllable as that function leaves it; any other text has no
            other spelling here.
    """
    return tuple(_in_case_of(word, old) for old in _other_spellings().get(word.lower(), ()))


def is_vietnamese(texts: Iterable[str]) -> bool:
    """Whether texts are Vietnamese, also where other languages are among them.

    Told by letters that only Vietnamese writes. Text that was typed without tones
    has none of them, and no placement of a tone either.
    """
    letters = own = 0
    for text in texts:
        seen = [one for one in unicodedata.normalize("NFC", text.lower()) if one.isalpha()]
        letters += len(seen)
        own += sum(one in _OWN for one in seen)
    return own > 0 and own >= LEAST_SHARE * letters


def _respelt(word: str) -> str:
    known = _spellings().get(word.lower())
    return word if known is None else _in_case_of(word, known)


def _in_case_of(word: str, other: str) -> str:
    """Another spelling of a word, letter by letter in the word's case."""
    return "".join(
        new.upper() if old.isupper() else new for old, new in zip(word, other, strict=True)
    )


@cache
def _spellings() -> dict[str, str]:
    """The spelling here of every syllable whose tone stands before its main vowel."""
    return {
        f"{onset}{_toned(glide, tone)}{rime}": f"{onset}{glide}{_with_tone(rime, tone)}"
        for onset, glide, rime in _syllables()
        for tone in (_STOPPED_TONES if rime.endswith(_STOPS) else _TONES)
    }


@cache
def _other_spellings() -> dict[str, list[str]]:
    """What is brought to each spelling."""
    found: dict[str, list[str]] = {}
    for old, new in _spellings().items():
        if old != new:
            found.setdefault(new, []).append(old)
    return found


def _syllables() -> Iterator[tuple[str, str, str]]:
    """What stands before the glide, the glide, what follows it."""
    for glide, rimes in (("o", _AFTER_O), ("u", _AFTER_U)):
        for onset in _ONSETS.split():
            yield from ((onset.strip("-"), glide, rime) for rime in rimes.split())
    yield from (("q", "u", rime) for rime in _AFTER_QU.split())
    yield from (("g", "i", rime) for rime in _AFTER_GI.split())


def _with_tone(rime: str, tone: str) -> str:
    place = max(0, *(rime.find(letter) for letter in _MARKED))
    return rime[:place] + _toned(rime[place], tone) + rime[place + 1 :]


def _toned(letter: str, tone: str) -> str:
    return unicodedata.normalize("NFC", letter + tone)
