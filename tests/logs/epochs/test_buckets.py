import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.epochs.buckets import Bucket, RowShape

VALUES = st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9).map(float)), max_size=20)


def filled(values):
    bucket = Bucket()
    for index, value in values:
        bucket.add(index, value)
    return bucket


@given(VALUES, VALUES)
def test_merging_is_as_adding_one_after_the_other(first, second):
    merged, whole = filled(first), filled([*first, *second])
    merged.merge(filled(second))
    for index in whole.held():
        assert merged.counts[index] == whole.counts[index]
        assert merged.sums[index] == whole.sums[index]
        assert merged.lasts[index] == whole.lasts[index]
    assert merged.held() == whole.held()


def test_a_later_stage_wins_and_nan_is_held():
    first, second = Bucket(), Bucket()
    first.stage, second.stage = "warmup", "full"
    second.nans.add(2)
    first.merge(second)
    first.merge(Bucket())
    assert (first.stage, first.held()) == ("full", {2})


def test_a_row_is_taken_apart_once_for_all_rows_of_its_columns():
    shape = RowShape(("epoch", "step", "split", "kl_raw", "weather"), Columns({}))
    assert (shape.epoch, shape.step, shape.split) == ("epoch", "step", "split")
    assert shape.cells == {"kl_raw": "train"}
    assert not shape.is_running


@pytest.mark.parametrize(
    ("word", "split"), [("train", ""), (" Valid ", "val"), ("val", "val"), ("TEST", "test")]
)
def test_the_split_of_a_row_is_one_of_three(word, split):
    shape = RowShape(("split", "kl_raw"), Columns({}))
    assert shape.split_of({"split": word, "kl_raw": 1.0}) == split
    assert RowShape(("kl_raw",), Columns({})).split_of({"kl_raw": 1.0}) == ""
