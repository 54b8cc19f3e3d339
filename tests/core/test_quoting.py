from latentvqa.core.quoting import cut, shortened


def test_a_short_value_is_shown_whole_and_a_text_in_quotes():
    assert shortened("a\x1bb") == r"'a\x1bb'"
    assert shortened(["a", 1]) == "['a', 1]"
    assert cut("x" * 40) == "x" * 40


def test_of_a_long_value_the_beginning_is_shown():
    assert cut("x" * 41) == "x" * 40 + " ..."
    assert shortened("x" * 10**6, 3) == "'xxx ...'"
    assert shortened(list(range(10**4)), 8) == "[0, 1, 2 ..."
