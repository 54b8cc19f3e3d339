from __future__ import annotations

from latentvqa.core.audit.spellings import judge_spellings


def test_words_in_two_spellings_are_named_with_the_key_that_makes_them_one() -> None:
    assert judge_spellings({}) == []
    (one,) = judge_spellings({"vi": [("hòa", "hoà")]})
    assert (one.code, one.level, one.observed) == ("DA017", "warning", 1)
    assert one.sentence.startswith("1 word in two spellings (hòa and hoà), taken as")
    assert one.advice == 'Set text.language = "vi", and each is one.'
    (many,) = judge_spellings({"vi": [(word, word) for word in "abcd"]})
    assert many.sentence.startswith("4 words in two")
    assert "(a and a, b and b, c and c, ...)" in many.sentence
