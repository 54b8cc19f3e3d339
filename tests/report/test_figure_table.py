import pytest

from latentvqa.report.figure_table import fact_table, figure_table
from latentvqa.report.text import plain

LONG = "what is the relationship between the two objects"
ROWS = [(LONG, ("214,354", "88.43 %")), ("count", ("9", "100.00 %"))]


def shown(rows, width, headings=("questions", "exact\nmatch"), title=""):
    text = plain(figure_table("type", headings, rows, width, title), width)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def test_names_stand_beside_their_figures_and_break_between_words():
    assert (
        shown(ROWS, 55, title="All")
        == """\
All

  type                        questions   exact match
 ─────────────────────────────────────────────────────
  what is the relationship      214,354       88.43 %
  between the two objects
  count                               9      100.00 %
"""
    )


def test_headings_break_before_names_have_to_move():
    assert (
        shown(ROWS, 38)
        == """\

                               exact
 type            questions     match
 ────────────────────────────────────
 what is the       214,354   88.43 %
 relationship
 between the
 two objects
 count                   9  100.00 %
"""
    )


def test_where_both_do_not_fit_a_name_stands_above_its_figures():
    assert (
        shown(ROWS, 30, title="All")
        == """\

All
type
                exact
  questions     match
─────────────────────
what is the relationship
between the two objects
    214,354   88.43 %
count
          9  100.00 %"""
    )


@pytest.mark.parametrize("width", range(24, 100, 3))
def test_no_figure_is_broken_at_any_width(width):
    text = shown(ROWS, width)
    for figure in ("214,354", "88.43 %", "100.00 %", "questions", "relationship"):
        assert figure in text
    assert max(map(len, text.split("\n"))) <= width


def test_a_name_steers_no_terminal():
    assert "\x1b" not in shown([("a\x1b[2Jb", ("1", "2"))], 60)
    assert "[bold]" in shown([("[bold]", ("1", "2"))], 60)


def test_facts_stand_beside_their_names():
    found = fact_table([("a", "10 % of the rows"), ("bcd", "[i]")])
    assert plain(found, 14).split("\n") == ["a    10 % of  ", "     the rows ", "bcd  [i]      "]
