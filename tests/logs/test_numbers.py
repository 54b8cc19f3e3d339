import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.logs.numbers import LARGEST_POSITION, is_missing, number, position

CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(CELLS)
def test_any_cell_is_a_float_or_nothing_and_never_an_exception(cell):
    value = number(cell)
    assert value is None or type(value) is float
    where = position(cell)
    assert where is None or 0.0 <= where <= LARGEST_POSITION


@given(st.floats())
def test_a_number_is_read_as_it_is_printed(value):
    back = number(repr(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (" 1e-3 ", 1e-3),
        ("50 %", 0.5),
        ("-5%", -0.05),
        ("inf", math.inf),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (True, None),
        ("%", None),
        ("0.5 nats", None),
        ([1.0], None),
    ],
)
def test_what_is_no_number_is_not_guessed(cell, value):
    assert number(cell) == value


@pytest.mark.parametrize("cell", [None, "", " ", "-", "--", "None", "N/A", " null ", "<NA>"])
def test_cells_that_say_that_there_is_nothing_are_missing(cell):
    assert is_missing(cell)


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", "nan", math.nan, "x"])
def test_zero_and_nan_are_not_missing(cell):
    assert not is_missing(cell)


@pytest.mark.parametrize(("cell", "is_one"), [(0, True), (-1, False), (math.inf, False)])
def test_a_position_can_be_counted(cell, is_one):
    assert (position(cell) is not None) is is_one
    assert position(LARGEST_POSITION) == LARGEST_POSITION
    assert position(2.0 * LARGEST_POSITION) is None
