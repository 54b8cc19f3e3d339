from latentvqa.report.page.words import (
    interval_text,
    measure_name,
    points_text,
    prior_name,
    share_text,
    width_text,
)


def test_number_and_sign_of_a_share_stay_on_one_line():
    assert share_text(0.366) == "36.6\N{NO-BREAK SPACE}%"


def test_an_interval_is_there_where_both_ends_are():
    assert interval_text(0.29, 0.447) == "29.0 to 44.7"
    assert interval_text(None, 0.4) == ""


def test_a_difference_of_shares_is_in_points():
    assert points_text(-0.52) == "52.0 points"


def test_the_width_of_a_bar_stays_within_it():
    assert [width_text(share) for share in (-1.0, 0.25, 7.0)] == ["0.00", "25.00", "100.00"]


def test_names_are_words_and_an_unknown_one_is_shown():
    assert measure_name("token_f1") == "token F1" and measure_name("new_one") == "new one"
    assert prior_name("type") == "the most frequent of each question type"
    assert prior_name("new_one") == "new one"
