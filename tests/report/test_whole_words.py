from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group
from rich.table import Table
from rich.text import Text

from latentvqa.report.text import plain
from latentvqa.report.whole_words import Name, Prose


def lines(text, width):
    return [line.rstrip() for line in plain(Group(text), width).split("\n")]


def test_a_number_and_its_sign_stay_on_one_line():
    assert lines(Prose("right in 98.7 % of the rows (55.0 %)."), 15) == [
        "right in 98.7 %",
        "of the rows",
        "(55.0 %).",
    ]
    assert lines(Text("right in 98.7 % of"), 14)[0] == "right in 98.7"  # as Rich breaks it
    assert lines(Prose("right in 98.7 % of"), 14)[0] == "right in"


def test_a_name_ends_a_line_behind_a_blank_or_a_mark():
    name = Name("what is_the relationship/attribute-of")
    assert lines(name, 13) == ["what is_the", "relationship/", "attribute-of"]
    assert name.least_width == len("relationship/")


def test_a_word_wider_than_the_line_is_broken_and_whole():
    assert lines(Name("abcdefgh ij"), 3) == ["abc", "def", "gh", "ij"]
    assert lines(Prose("abcdefgh ij"), 4) == ["abcd", "efgh", "ij"]


def test_colours_and_line_breaks_stay():
    name = Name("run_a", style="bold")
    name.append("\nwarning: held", style="red")
    assert lines(name, 8) == ["run_a", "warning:", "held"]
    assert [span.style for span in name.spans] == ["red"]


def test_a_table_gives_a_name_as_much_room_as_there_is():
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_row(Name("classification_of_abnormality"), "100.00 %")
    assert lines(table, 25) == ["classification_  100.00 %", "of_abnormality"]


@given(st.text("ab %/_-é中\n", max_size=60), st.integers(2, 30))
def test_nothing_is_lost_and_no_line_is_too_wide(text, width):
    for kind in (Prose, Name):
        shown = plain(Group(kind(text)), width)
        assert "".join(shown.split()) == "".join(text.split())
        assert all(Text(line.rstrip()).cell_len <= width for line in shown.split("\n"))
