import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.engine.latent_use.exchange import find_exchange


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 40))
    keys = draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    images = draw(st.lists(st.integers(0, 6), min_size=rows, max_size=rows))
    return keys, np.array(images)


@given(tables(), st.integers(0, 3))
def test_a_source_has_another_image_and_an_alike_one_the_rows_own_key(table, seed):
    keys, images = table
    exchange = find_exchange(keys, images, seed)
    assert ((images[exchange.sources] != images) == exchange.has_source).all()
    for row in np.flatnonzero(exchange.is_alike):
        assert keys[exchange.sources[row]] == keys[row]
        assert exchange.has_source[row]


@given(tables())
def test_every_row_has_source_where_no_image_has_more_than_half_of_its_key(table):
    keys, images = table
    exchange = find_exchange(keys, images, 0)
    for key in set(keys):
        members = np.array([other == key for other in keys])
        most = np.bincount(images[members]).max()
        if 2 * most <= members.sum():
            assert exchange.is_alike[members].all()


def test_no_row_is_a_source_twice_within_a_key():
    images = np.repeat(np.arange(10), 3)
    exchange = find_exchange(["a", "b", "c"] * 10, images, 0)
    assert exchange.is_alike.all()
    assert sorted(exchange.sources) == list(range(30))


def test_a_question_asked_once_takes_any_other_image():
    exchange = find_exchange(["a", "a", "b"], np.array([0, 1, 2]), 0)
    assert exchange.is_alike.tolist() == [True, True, False]
    assert exchange.has_source.all()


def test_a_single_image_is_no_source():
    exchange = find_exchange(["a", "b"], np.array([4, 4]), 0)
    assert not exchange.has_source.any()


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="2 keys, but 1 images"):
        find_exchange(["a", "b"], np.array([0]), 0)
