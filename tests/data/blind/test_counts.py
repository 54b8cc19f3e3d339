from itertools import product

import numpy as np
import pytest

from latentvqa.data.blind.counts import count_tokens, fit_groups


def test_the_probabilities_of_all_answers_that_tokens_can_write_sum_to_one():
    keys = [(4, 2), (4, 2), (5, 4, 2), (2,)]
    tokens = count_tokens(keys, vocabulary=3)  # 2, 4 and 5
    every = [(*body, 2) for n in range(14) for body in product((4, 5), repeat=n)]
    base = np.exp(-tokens.nats(every))
    counts, _ = fit_groups([""] * 4, keys, np.arange(4), np.exp(-tokens.nats(keys)))
    total = counts.probabilities([""] * len(every), every, base).sum()
    assert 0.98 < total <= 1.0
    assert base.min() > 0.0


def test_left_out_probabilities_are_those_of_counting_without_the_image():
    groups = ["a", "a", "a", "b", "b", "a"]
    keys = [(4, 2), (4, 2), (5, 2), (4, 2), (5, 2), (4, 2)]
    images = np.array([0, 0, 1, 1, 2, 3])
    parent = np.array([0.5, 0.5, 0.2, 0.5, 0.2, 0.5])
    counts, found = fit_groups(groups, keys, images, parent)
    for row in range(6):
        kept = [i for i in range(6) if images[i] != images[row] and groups[i] == groups[row]]
        same = sum(keys[i] == keys[row] for i in kept)
        expected = (same + counts.strength * parent[row]) / (len(kept) + counts.strength)
        assert found[row] == pytest.approx(expected, rel=1e-12)


def test_groups_that_tell_nothing_lean_on_their_parent_and_telling_ones_do_not():
    rng = np.random.default_rng(0)
    keys = [(4 + int(i), 2) for i in rng.integers(0, 4, 400)]
    parent = np.full(400, 0.25)
    telling, _ = fit_groups([str(key) for key in keys], keys, np.arange(400), parent)
    idle, _ = fit_groups([str(i % 20) for i in range(400)], keys, np.arange(400), parent)
    assert telling.strength < 1.0
    assert idle.strength > 20.0  # rows a group: the parent outweighs them
