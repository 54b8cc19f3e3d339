from hypothesis import given
from hypothesis import strategies as st

from latentvqa.engine.run_report.samples import choose_rows


def test_wrong_answers_come_first_and_make_up_half():
    assert choose_rows([True, False] * 6, 4) == [1, 7, 0, 6]


def test_where_one_kind_is_short_the_other_fills_up():
    assert choose_rows([False, *[True] * 9], 4) == [0, 1, 4, 7]
    assert choose_rows([True, *[False] * 9], 4) == [1, 4, 7, 0]
    assert choose_rows([], 4) == []


@given(st.lists(st.booleans(), max_size=50), st.integers(0, 60))
def test_as_many_rows_as_there_are_are_chosen_once_each(is_correct, count):
    rows = choose_rows(is_correct, count)
    assert len(set(rows)) == len(rows) == min(count, len(is_correct))
    told = [is_correct[row] for row in rows]
    assert told == sorted(told)
