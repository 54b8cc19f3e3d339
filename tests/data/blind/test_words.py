import numpy as np
import torch

from latentvqa.data.blind.words import fit_words
from tests.data.blind.made import filler_texts


def test_the_same_rows_give_the_same_weights_and_leave_the_random_state_alone():
    rows = filler_texts(300, 5, seed=0)
    before = torch.get_rng_state()
    first, second = (fit_words(rows.texts, rows.keys, rows.images, seed=3)[0] for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.embeddings, second.embeddings)
    assert torch.equal(first.weights, second.weights)


def test_held_out_rows_are_of_images_that_the_other_rows_lack():
    rows = filler_texts(300, 5, seed=0)
    images = rows.images // 6
    _, held, _ = fit_words(rows.texts, rows.keys, images, seed=0)
    assert 0 < len(held) < 100
    assert set(images[held]).isdisjoint(np.delete(images, held))


def test_too_few_rows_or_a_single_image_are_not_fitted():
    rows = filler_texts(300, 5, seed=0)
    assert fit_words(rows.texts[:20], rows.keys[:20], rows.images[:20], seed=0) is None
    assert fit_words(rows.texts, rows.keys, np.zeros(300, dtype=np.int64), seed=0) is None
