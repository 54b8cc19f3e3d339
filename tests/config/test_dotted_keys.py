from hypothesis import given
from hypothesis import strategies as st

from latentvqa.config.dotted_keys import dotted_keys, nested_keys


def test_dotted_and_nested_keys_are_opposites():
    nested = {"kl": {"factor": 1, "free_bits": 2}, "data": {"columns": {"image": "i"}}}
    dotted = {"kl.factor": 1, "kl.free_bits": 2, "data.columns.image": "i"}
    assert nested_keys(dotted) == nested_keys(nested) == nested
    assert dotted_keys(nested) == dotted
    assert nested_keys({"kl.factor": 1, "kl": {"free_bits": 2}}) == {
        "kl": {"factor": 1, "free_bits": 2}
    }


KEYS = st.text("abc_", min_size=1, max_size=3)
TABLES = st.recursive(
    st.dictionaries(KEYS, st.integers() | st.none(), min_size=1, max_size=3),
    lambda inner: st.dictionaries(KEYS, st.integers() | inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(TABLES)
def test_tables_survive_being_written_as_dotted_keys(tables):
    flat = dotted_keys(tables)
    assert not any(isinstance(value, dict) for value in flat.values())
    assert nested_keys(flat) == tables


def test_an_empty_table_stays_a_value():
    assert dotted_keys({"data": {"columns": {}}}) == {"data.columns": {}}


def test_later_keys_win_and_a_table_adds_to_one_that_is_there():
    assert nested_keys({"kl": {"factor": 1}, "kl.factor": 2}) == {"kl": {"factor": 2}}
    assert nested_keys({"a.b": 1, "a": {"c": {"d": 2}}}) == {"a": {"b": 1, "c": {"d": 2}}}
