from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.batch_plan import plan_batches

images = st.lists(st.integers(0, 9), max_size=120).map(lambda rows: np.array(rows, dtype=np.int64))


@given(images, st.integers(1, 20), st.integers(1, 6), st.booleans())
def test_every_row_stands_in_exactly_one_batch_of_legal_size(
    image_index: np.ndarray, batch_size: int, per_image: int, shuffle: bool
) -> None:
    batches = plan_batches(
        image_index,
        batch_size=batch_size,
        questions_per_image=per_image,
        seed=1,
        epoch=2,
        shuffle=shuffle,
    )
    rows = np.concatenate(batches) if batches else np.array([], dtype=np.int64)
    assert sorted(rows) == list(range(len(image_index)))
    sizes = [len(batch) for batch in batches]
    assert all(0 < size <= batch_size for size in sizes)
    assert len(sizes) == -(-len(image_index) // batch_size)
    if shuffle and len(sizes) > 1:
        assert min(sizes) >= batch_size / 2


def test_a_plan_follows_seed_and_epoch_alone() -> None:
    image_index = np.repeat(np.arange(50), 8)

    def plan(seed: int, epoch: int) -> list[list[int]]:
        batches = plan_batches(
            image_index, batch_size=32, questions_per_image=4, seed=seed, epoch=epoch, shuffle=True
        )
        return [batch.tolist() for batch in batches]

    assert plan(0, 0) == plan(0, 0)
    assert plan(0, 0) != plan(0, 1) != plan(1, 0)


@pytest.mark.parametrize("per_image", [1, 3, 4, 7])
def test_an_image_fills_no_more_of_a_batch_than_allowed(per_image: int) -> None:
    rng = np.random.default_rng(0)
    image_index = rng.permutation(np.repeat(np.arange(100), rng.integers(1, 20, 100)))
    batches = plan_batches(
        image_index, batch_size=64, questions_per_image=per_image, seed=0, epoch=0, shuffle=True
    )
    for batch in batches[:-3]:
        assert np.bincount(image_index[batch]).max() <= per_image
    full = [len(np.unique(image_index[batch])) for batch in batches]
    assert np.mean(full) < 64 / per_image * 1.6  # grouped, not one image a question


def test_a_single_image_still_gets_batches() -> None:
    batches = plan_batches(
        np.zeros(25, dtype=np.int64),
        batch_size=10,
        questions_per_image=2,
        seed=0,
        epoch=0,
        shuffle=True,
    )
    assert [len(batch) for batch in batches] == [10, 10, 5]


def test_in_order_rows_are_grouped_by_image() -> None:
    batches = plan_batches(
        np.array([1, 0, 1, 0, 2]),
        batch_size=2,
        questions_per_image=1,
        seed=0,
        epoch=0,
        shuffle=False,
    )
    assert [batch.tolist() for batch in batches] == [[1, 3], [0, 2], [4]]


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        plan_batches(
            np.zeros(1), batch_size=0, questions_per_image=1, seed=0, epoch=0, shuffle=True
        )
