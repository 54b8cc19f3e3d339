from hypothesis import given
from hypothesis import strategies as st

from latentvqa.logs.epochs.buckets import Bucket
from latentvqa.logs.epochs.windows import FEWEST_STEPS, MANY_STEPS, FineWindows, condensed

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10_000)), min_size=1, max_size=60)


def filled(steps, most=8):
    windows = FineWindows(most)
    for epoch, place in steps:
        windows.buckets.setdefault(windows.key(epoch, place), Bucket()).add(0, float(place))
        windows.condense()
    return windows


def sums(buckets):
    return sum(bucket.counts[0] for bucket in buckets), sum(bucket.sums[0] for bucket in buckets)


@given(STEPS)
def test_windows_stay_few_and_lose_no_step(steps):
    windows = filled(steps)
    assert len(windows.buckets) <= 8
    expected = (len(steps), sum(place for _, place in steps))
    for buckets in (windows.in_order(), windows.by_epoch()):
        assert sums(buckets.values()) == expected
    assert sums(condensed(windows.buckets).values()) == expected
    assert windows.epochs == len({epoch for epoch, _ in steps})


@given(STEPS)
def test_no_window_crosses_an_epoch(steps):
    merged = filled(steps).by_epoch()
    assert merged.keys() == {epoch for epoch, _ in steps}
    for epoch, bucket in merged.items():
        assert bucket.counts[0] == sum(own == epoch for own, _ in steps)


def test_columns_are_held_by_epoch():
    windows = filled([(0, 1), (1, 5)])
    windows.buckets[windows.key(1, 5)].nans.add(3)
    assert windows.held_in(0) == {0}
    assert windows.held_in(1) == {0, 3}
    assert windows.is_new(2) and not windows.is_new(1)


def test_few_steps_need_no_windows():
    one, two = filled([(0, 1)]), filled([(0, 1), (1, 1)])
    assert one.are_needed(FEWEST_STEPS) and not one.are_needed(FEWEST_STEPS - 1)
    assert two.are_needed(MANY_STEPS) and not two.are_needed(MANY_STEPS - 1)
