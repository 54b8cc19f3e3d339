from __future__ import annotations

import pytest

from latentvqa.core.languages.spelling import has_spelling, other_spellings, spelt


def test_vietnamese_has_a_spelling_and_it_is_applied() -> None:
    assert has_spelling("vi")
    assert spelt("tòa nhà", "vi") == spelt("toà nhà", "vi") == "toà nhà"


@pytest.mark.parametrize("language", ["", "en", "fr", "vie"])
def test_other_languages_leave_a_text_letter_by_letter(language: str) -> None:
    text = "tòa nhà, ho\u0300a"
    assert not has_spelling(language)
    assert spelt(text, language) is text


def test_other_spellings_are_those_that_are_brought_to_a_word() -> None:
    assert other_spellings("hoà", "vi") == ("hòa",)
    assert other_spellings("HOÀ", "vi") == ("HÒA",)
    assert "hòan" in other_spellings("hoàn", "vi")
    for word in ("hoà", "Thuỷ", "khuỷu", "già"):
        assert all(spelt(one, "vi") == word for one in other_spellings(word, "vi"))
    assert "quí" not in other_spellings("quý", "vi")  # another word
    assert other_spellings("hòa", "vi") == ()
    assert other_spellings("hoà", "fr") == ()
