"""TOML that nobody wrote by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.toml_text import DEEPEST, parse_toml, toml_value, written_toml
from latentvqa.errors import ConfigError

NINES = "9" * 5000
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"a = {NINES}", "a whole number does not fit into 64 bits"),
        (f"a = 0x{'f' * 5000}", "a: a whole number does not fit"),
        ("[a]\nb = [1, {c = 9223372036854775808}]", "a.b.c: a whole number does not fit"),
        ("a = -9223372036854775809", "a: a whole number does not fit"),
        ("a = " + "[" * 5000 + "]" * 5000, "deep in one another"),
        ("a = " + "{b = " * 5000 + "1" + "}" * 5000, "deep in one another"),
        ("a." * 200_000 + "b = 1", "deep in one another"),
        ("[" + "a." * 17 + "b]", f"more than {DEEPEST} deep"),
        ("a = " + "[" * 16 + "1" + "]" * 16, f"more than {DEEPEST} deep"),
        ('a = "' + "\\q" * 9999 + '"', "escape"),
        ("a = 1\nb = \x00", "Invalid value"),
    ],
    ids=str,
)
def test_what_no_configuration_holds_is_a_short_sentence(text, told):
    with pytest.raises(ValueError, match=r"^.{1,250}$") as caught:
        parse_toml(text)
    assert told in str(caught.value)
    assert toml_value(text) == text


def test_the_largest_and_deepest_that_is_accepted():
    text = "a = 9223372036854775807\nb = " + "[" * 15 + "-9223372036854775808" + "]" * 15
    assert parse_toml(text)["a"] == 2**63 - 1


@given(VALUES)
def test_a_value_is_read_as_it_was_written(value):
    assert toml_value(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize("text", ["abc", "1=2", "[", "1\nother = 2", "", NINES, "0x" + "f" * 5000])
def test_what_is_no_single_value_is_text(text):
    assert toml_value(f" {text} ") == text


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers(-(2**63), 2**63 - 1)))
def test_what_was_written_is_read_again(tables):
    assert parse_toml(written_toml(tables)) == tables


def test_a_name_that_is_no_text_is_told_with_its_key():
    with pytest.raises(ConfigError, match=r'train = "a/b\udcff": holds bytes that are no text'):
        written_toml({"data": {"val": "é", "train": "a/b\udcff"}})
