import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from latentvqa.engine.metrics.map_divergence import map_divergence, mean_map_divergence
from latentvqa.report.evaluation.map_notice import LEAST_DIVERGENCE

DRAWS = np.random.default_rng(0)


def attention(questions, tokens=2, patches=9, sharpness=1.0):
    return DRAWS.dirichlet(np.full(patches + 1, sharpness), (questions, tokens))


def test_the_divergence_of_two_maps_is_that_of_scipy():
    one = attention(2)
    maps = one[..., :-1] / one[..., :-1].sum(-1, keepdims=True)
    expected = np.mean([jensenshannon(*maps[:, token], base=2) ** 2 for token in range(2)])
    assert map_divergence(one) == pytest.approx(expected)


def test_every_pair_of_questions_counts_alike_whatever_their_order():
    one = attention(3)
    pairs = [map_divergence(one[[a, b]]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert map_divergence(one) == pytest.approx(np.mean(pairs))
    assert map_divergence(one[::-1]) == pytest.approx(map_divergence(one))


def test_equal_maps_have_none_and_maps_apart_have_one_bit():
    assert map_divergence(np.repeat(attention(1), 3, axis=0)) == 0.0
    apart = np.zeros((2, 1, 5))
    apart[0, 0, 0] = apart[1, 0, 3] = 1.0
    assert map_divergence(apart) == pytest.approx(1.0)


def test_what_goes_to_the_question_is_no_part_of_a_map():
    one = attention(1)
    other = one.copy()
    other[..., :-1] *= 0.5
    other[..., -1] = 1.0 - other[..., :-1].sum(-1)
    assert map_divergence(np.concatenate([one, other])) == pytest.approx(0.0, abs=1e-12)


def test_the_mean_over_images_compares_the_different_questions_of_each():
    maps = attention(7)
    images = np.array([0, 1, 0, 2, 1, 1, 3])
    asked = ["a?", "a?", "b?", "a?", "b?", "c?", "a?"]
    pairs = [map_divergence(maps[[0, 2]]), map_divergence(maps[[1, 4, 5]])]
    assert mean_map_divergence(maps, images, asked) == pytest.approx(np.mean(pairs))


def test_images_with_one_question_say_nothing():
    assert map_divergence(attention(1)) is None
    assert mean_map_divergence(attention(0), np.array([], int), []) is None
    maps = attention(3)
    # the same question about the first image twice, another about the second once
    assert mean_map_divergence(maps, np.array([0, 0, 1]), ["a?", "a?", "b?"]) is None


def test_at_the_limit_less_than_a_tenth_of_the_attention_lies_elsewhere():
    even = np.full(16, 1 / 16)
    tilted = even * np.where(np.arange(16) < 8, 1.2, 0.8)  # a tenth has moved
    maps = np.stack([even, tilted])[:, None]
    whole = np.concatenate([maps, np.zeros((2, 1, 1))], axis=-1)
    assert 0.5 * LEAST_DIVERGENCE < map_divergence(whole) < LEAST_DIVERGENCE
