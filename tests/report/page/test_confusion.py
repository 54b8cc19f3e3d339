from hypothesis import given
from hypothesis import strategies as st

from latentvqa.report.page.confusion import confusion_of, confusion_view

PAIRS = (
    [("yes", "yes")] * 3 + [("yes", "no")] + [("no", "no")] * 2 + [("red", "blue"), ("red", "no")]
)


def test_the_most_frequent_answers_have_rows_and_all_others_one():
    found = confusion_of([*PAIRS, ("x", "y"), ("z", "yes")], most=2)
    assert found.answers == ("yes", "no")
    assert found.counts == ((3, 1, 0), (0, 2, 0), (1, 1, 2))


def test_one_answer_more_than_the_most_is_not_called_other():
    assert confusion_of(PAIRS, most=2).answers == ("yes", "no", "red")


def test_a_table_with_one_answer_confuses_nothing():
    assert confusion_of([("yes", "yes"), ("yes", "no")]) is None
    assert confusion_of([]) is None


def test_a_cell_says_its_share_of_the_row_and_whether_it_is_right():
    view = confusion_view(confusion_of(PAIRS))
    assert view["names"] == ["yes", "no", "red", "other"]
    assert [row["name"] for row in view["rows"]] == ["yes", "no", "red"]  # nothing else expected
    first = view["rows"][0]
    assert [cell["count"] for cell in first["cells"]] == [3, 1, 0, 0]
    assert [cell["heat"] for cell in first["cells"]] == [75, 25, 0, 0]
    assert [cell["kind"] for cell in first["cells"]] == ["right", "wrong", "wrong", "wrong"]
    assert first["cells"][1]["told"] == "expected yes, answered no: 1 of 4"
    rest = confusion_view(confusion_of([*PAIRS, ("x", "y"), ("z", "z")], most=2))["rows"][-1]
    assert rest["name"] == "other" and rest["cells"][-1]["kind"] == "unclear"


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmn"), st.sampled_from("abcxyz"))))
def test_every_answer_is_counted_once(pairs):
    found = confusion_of(pairs)
    if found is not None:
        assert sum(map(sum, found.counts)) == len(pairs)
        assert len(found.answers) <= 11
        assert {len(row) for row in found.counts} == {len(found.answers) + 1}
