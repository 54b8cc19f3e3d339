import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.engine.latent_use.exchange import find_donors


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 40))
    keys = draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    images = draw(st.lists(st.integers(0, 6), min_size=rows, max_size=rows))
    return keys, np.array(images)


@given(tables(), st.integers(0, 3))
def test_a_served_row_gets_another_image_and_an_alike_one_its_own_key(table, seed):
    keys, images = table
    donors = find_donors(keys, images, seed)
    assert ((images[donors.rows] != images) == donors.is_served).all()
    for row in np.flatnonzero(donors.is_alike):
        assert keys[donors.rows[row]] == keys[row]
        assert donors.is_served[row]


@given(tables())
def test_every_row_is_served_where_no_image_has_more_than_half_of_its_key(table):
    keys, images = table
    donors = find_donors(keys, images, 0)
    for key in set(keys):
        members = np.array([other == key for other in keys])
        most = np.bincount(images[members]).max()
        if 2 * most <= members.sum():
            assert donors.is_alike[members].all()


def test_no_donor_serves_twice_within_a_key():
    images = np.repeat(np.arange(10), 3)
    donors = find_donors(["a", "b", "c"] * 10, images, 0)
    assert donors.is_alike.all()
    assert sorted(donors.rows) == list(range(30))


def test_a_question_asked_once_takes_any_other_image():
    donors = find_donors(["a", "a", "b"], np.array([0, 1, 2]), 0)
    assert donors.is_alike.tolist() == [True, True, False]
    assert donors.is_served.all()


def test_a_single_image_serves_nobody():
    donors = find_donors(["a", "b"], np.array([4, 4]), 0)
    assert not donors.is_served.any()


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="2 keys, but 1 images"):
        find_donors(["a", "b"], np.array([0]), 0)
