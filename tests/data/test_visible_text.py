from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.visible_text import visible_text

UNSEEN = (
    *"\0\x08\x1b\x1c\x7f\x9b\u00ad\u034f\u061c\u17b4\u180e\u200b\u200c\u200d\u200e\u200f",
    *"\u202a\u202e\u2060\u2064\u2066\u2069\u206f\u3164\ufe0f\ufeff\uffa0\ufff9",
    *"\U0001d173\U000e0041\U000e0100",
)


@pytest.mark.parametrize("unseen", UNSEEN, ids=[f"U+{ord(one):04X}" for one in UNSEEN])
def test_what_nobody_sees_is_dropped_wherever_it_stands(unseen: str) -> None:
    for text in (
        f"{unseen}yes",
        f"y{unseen}es",
        f"yes{unseen}",
        f"yes {unseen}",
        unseen * 3 + "yes",
    ):
        assert visible_text(text).strip() == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\r\nc\x85d\u00a0e\u3000f",  # white space of every kind
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, mi-khaham
        "\u0915\u094d\u200d\u0937",  # a half form of Hindi
        "\u0d28\u0d4d\u200d",  # a Malayalam chillu at the end of a word
        "\u1820\u180b",  # a variant of a Mongolian letter
        "\u2764\ufe0f",  # a heart as an emoji
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # a family
        "\U0001f3f3\ufe0f\u200d\U0001f308",  # a flag of four characters
        "1\ufe0f\u20e3",  # a key cap
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
        "\u845b\U000e0100",  # a variant of a Chinese character
        "\u0600\u0661",  # an Arabic number sign, a format character that is seen
        "m\u00e0u \u0111\u1ecf",
    ],
)
def test_what_changes_the_look_of_a_text_stays(text: str) -> None:
    assert visible_text(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_what_is_left_stays_and_nothing_is_added(text: str) -> None:
    seen = visible_text(text)
    assert visible_text(seen) == seen
    rest = iter(text)
    assert all(character in rest for character in seen)
    kept = [c for c in text if unicodedata.category(c) in ("Lu", "Ll", "Nd", "Zs", "Po")]
    assert [c for c in seen if c in kept] == kept
