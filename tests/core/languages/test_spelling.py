from __future__ import annotations

import pytest

from latentvqa.core.languages.spelling import has_spelling, spelt


def test_vietnamese_has_a_spelling_and_it_is_applied() -> None:
    assert has_spelling("vi")
    assert spelt("tòa nhà", "vi") == spelt("toà nhà", "vi") == "toà nhà"


@pytest.mark.parametrize("language", ["", "en", "fr", "vie"])
def test_other_languages_leave_a_text_letter_by_letter(language: str) -> None:
    text = "tòa nhà, ho\u0300a"
    assert not has_spelling(language)
    assert spelt(text, language) is text
