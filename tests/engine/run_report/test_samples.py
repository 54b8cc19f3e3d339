import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentvqa.config import Data
from latentvqa.engine.run_report.samples import (
    LARGEST_SIDE,
    AnsweredRow,
    Answers,
    choose_rows,
    read_answers,
    samples_note,
    samples_of,
    written_answers,
)
from latentvqa.errors import DataError


def rows_of(*answers):
    """Answered rows from pairs of being right and confidence."""
    return [
        AnsweredRow(f"{place}.png", "q?", "a", "a", is_correct, confidence)
        for place, (is_correct, confidence) in enumerate(answers)
    ]


MIXED = rows_of(*[(place % 2 == 0, 0.05 * place) for place in range(20)])


def test_a_quarter_of_each_kind_is_shown():
    chosen = choose_rows(MIXED, 8)
    assert [kind for _, kind in chosen] == [
        *["right"] * 2,
        *["wrong"] * 2,
        *["surest wrong"] * 2,
        *["least sure"] * 2,
    ]
    assert [place for place, kind in chosen if kind == "surest wrong"] == [19, 17]
    assert [place for place, kind in chosen if kind == "least sure"] == [0, 1]


def test_where_one_kind_is_short_another_fills_up():
    all_right = rows_of(*[(True, 0.9 - 0.01 * place) for place in range(9)])
    assert [kind for _, kind in choose_rows(all_right, 4)] == ["right"] * 3 + ["least sure"]
    all_wrong = rows_of(*[(False, 0.9 - 0.01 * place) for place in range(9)])
    kinds = [kind for _, kind in choose_rows(all_wrong, 4)]
    assert kinds == ["wrong"] * 2 + ["surest wrong", "least sure"]
    assert choose_rows([], 4) == []


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0)), max_size=50), st.integers(0, 60))
def test_as_many_rows_as_there_are_are_chosen_once_each(answers, count):
    rows = rows_of(*answers)
    chosen = choose_rows(rows, count)
    places = [place for place, _ in chosen]
    assert len(set(places)) == len(places) == min(count, len(rows))
    for place, kind in chosen:
        if kind != "least sure":
            assert rows[place].is_correct == (kind == "right")


@pytest.mark.parametrize(("side", "media_type"), [(48, "image/png"), (900, "image/jpeg")])
def test_an_image_is_held_as_large_as_it_opens_and_small_ones_lose_nothing(
    tmp_path, side, media_type
):
    Image.new("RGB", (side, side // 2), "red").save(tmp_path / "0.png")
    answers = Answers(rows_of((True, 0.5)), "c", 1)
    (sample,), faults = samples_of(answers, 1, Data(images=tmp_path))
    assert faults == []
    assert sample.image_type == media_type and sample.image_name == "0.png"
    assert sample.size == (min(side, LARGEST_SIDE), min(side, LARGEST_SIDE) // 2)


def test_the_note_says_how_many_of_each_kind_are_shown():
    answers = Answers(MIXED, "0001-00000005", 40)
    samples, _ = samples_of(answers, 8, Data())
    assert samples_note(answers, samples) == (
        "Checkpoint 0001-00000005 answers 10 of 20 validation questions, taken evenly from 40, "
        "right. Shown: 2 right, 2 wrong, 2 surest wrong, 2 least sure. Chosen to look at, not a "
        "share to judge by."
    )


def test_answers_that_cannot_be_used_are_told_with_what_to_do(tmp_path):
    assert written_answers(tmp_path) is None
    folder = tmp_path / "evaluations" / "validation"
    folder.mkdir(parents=True)
    (folder / "predictions.csv").write_text("row,image\n1,x\n")
    with pytest.raises(DataError, match=f"write it anew with latentvqa evaluate {tmp_path}"):
        read_answers(folder)
