import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.summed_text import has_right_sum, with_sum

OBJECTS = st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False) | st.text(), min_size=1)


@given(OBJECTS.filter(lambda held: "sum" not in held), st.sampled_from([None, 1]))
def test_an_object_with_a_sum_is_the_object_with_one_key_more(held, indent):
    text = with_sum(json.dumps(held, indent=indent).encode())
    found = json.loads(text)
    assert len(found.pop("sum")) == 16
    assert found == held
    assert has_right_sum(text) is True


@given(OBJECTS, st.data())
def test_any_changed_byte_but_at_the_edges_is_noticed(held, data):
    text = with_sum(json.dumps(held).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    changed = bytearray(text)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert has_right_sum(bytes(changed)) is not True or bytes(changed).strip() == text


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"  \n"])
def test_ends_of_lines_do_not_count(ending):
    assert has_right_sum(with_sum(b'{"a":1}') + ending) is True


@pytest.mark.parametrize("text", [b"", b"{}", b'{"a":1}', b'{"sum":"0123456789abcdef"}'])
def test_a_text_without_a_sum_of_ours_has_none(text):
    assert has_right_sum(text) is None
