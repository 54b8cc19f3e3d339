import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from latentvqa.core.logged_values import (
    SAFE_INTEGER,
    Flag,
    Integer,
    Integers,
    Number,
    Numbers,
    Text,
    Texts,
    to_json,
)


def taken(declared, value):
    return TypeAdapter(declared).validate_python(value)


@given(st.floats())
def test_every_float_survives_strict_json(value):
    written = json.dumps(TypeAdapter(Number).dump_python(value, mode="json"), allow_nan=False)
    back = taken(Number, json.loads(written))
    assert back == value or (math.isnan(back) and math.isnan(value))


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_a_list_of_floats_survives_strict_json(values):
    written = json.dumps(TypeAdapter(Numbers).dump_python(tuple(values), mode="json"))
    assert "NaN," not in written.replace('"NaN"', "")
    for back, value in zip(taken(Numbers, json.loads(written)), values, strict=True):
        assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (Number, "0.5"),
        (Number, "nan"),
        (Number, True),
        (Number, None),
        (Number, SAFE_INTEGER + 1),
        (Integer, True),
        (Integer, 1.5),
        (Integer, math.inf),
        (Integer, "1"),
        (Numbers, [0.5, True]),
        (Numbers, "12"),
        (Integers, [1, 2.5]),
        (Integers, [1, SAFE_INTEGER + 1]),
        (Texts, "ab"),
        (Texts, [1]),
        (Text, 1),
        (Flag, 1),
        (Flag, "true"),
    ],
)
def test_a_value_of_another_type_is_refused(declared, value):
    with pytest.raises(ValidationError):
        taken(declared, value)


def test_a_whole_number_is_a_float_and_a_whole_float_a_number():
    assert type(taken(Number, 1)) is float
    assert type(taken(Integer, 3.0)) is int
    assert taken(Numbers, [1, 0.5, "Infinity"]) == (1.0, 0.5, math.inf)
    assert taken(Integers, [1, 2.0, -SAFE_INTEGER]) == (1, 2, -SAFE_INTEGER)


def test_a_lone_surrogate_becomes_a_question_mark():
    assert taken(Text, "a\ud800b") == "a?b"


def test_what_json_does_not_know_becomes_text_and_collections_become_lists():
    values = {1: (math.nan, -math.inf), "path": {"deep": [True, None]}, "type": int}
    assert to_json(values) == {
        "1": ["NaN", "-Infinity"],
        "path": {"deep": [True, None]},
        "type": "<class 'int'>",
    }
