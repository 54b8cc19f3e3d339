import math

import pytest

from latentvqa.core.figures import counted, figure, learnt, percent, points, probability


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "?"),
        (math.nan, "nan"),
        (0.0, "0"),
        (0.15, "0.15"),
        (0.12345, "0.123"),
        (12.0, "12"),
        (1234.5, "1234"),
        (0.00012, "0.00012"),
        (2e-5, "2.00e-05"),
        (-3.14159, "-3.14"),
        (5e8, "5.00e+08"),
    ],
)
def test_a_number_has_three_digits_and_no_exponent_where_avoidable(value, text):
    assert figure(value) == text


def test_shares_and_gains_have_words_for_nothing():
    assert (percent(None), percent(0.123456), percent(1.0)) == ("?", "12.3 %", "100 %")
    assert (learnt(-0.2), learnt(1.6)) == ("nothing is learnt", "1.6 are learnt")


def test_one_thing_has_no_plural_and_thousands_have_a_comma():
    assert counted(1, "image") == "1 image"
    assert (counted(0, "row"), counted(2000, "row")) == ("0 rows", "2,000 rows")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (1e-9, "< 0.1 %"),
        (0.0004, "< 0.1 %"),
        (0.0006, "0.1 %"),
        (0.59, "59.0 %"),
        (0.9994, "99.9 %"),
        (0.9996, "> 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_probability_is_said_to_be_none_or_all_only_where_it_is(share, text):
    assert probability(share) == text


def test_a_difference_reads_alike_whichever_way_it_was_reckoned():
    ways = [0.9975 - 0.485, 0.5125, 0.51249999999999996, 0.51250000000000007]
    assert {points(one) for one in ways} == {"51.2"}
    assert (points(-0.52), points(0.01, "+"), points(-1e-12, "+")) == ("-52.0", "+1.0", "+0.0")
