import math

import numpy as np
import pytest

from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import PRIOR, fit_blind_models
from latentvqa.data.blind.rows import blind_rows
from latentvqa.engine.blind_scores import BlindScores, floor_of, score_blindly
from tests.data.audit.made_tables import read, tokenizers_of

NATS = {PRIOR: np.array([1.0, 3.0, 100.0, 2.0]), "question_text": np.array([2.0, 1.0, 0.0, 1.5])}
RIGHT = {PRIOR: np.array([True, False, False, False]), "question_text": np.ones(4, dtype=bool)}
SCORES = BlindScores(np.array([True, True, False, True]), NATS, RIGHT, np.array([7, 7, 8, 9]))


def test_losses_are_of_judged_rows_and_exact_match_of_all():
    assert SCORES.prior_nll == pytest.approx(6 / 3)
    assert (SCORES.best, SCORES.blind_nll) == ("question_text", pytest.approx(4.5 / 3))
    assert SCORES.exact_match == {PRIOR: 0.25, "question_text": 1.0}
    assert SCORES.by_name()[PRIOR] == {"nll": pytest.approx(2.0), "exact_match": 0.25}


def test_the_gain_of_an_image_is_over_the_best_model_with_an_error_over_images():
    gain, error = SCORES.image_gain(np.array([1.0, 0.5, 50.0, 1.5]))
    assert gain == pytest.approx((1.0 + 0.5 + 0.0) / 3)
    # two images, their sums about the mean are 0.5 and -0.5
    assert error == pytest.approx((2 * (0.5**2 + 0.5**2)) ** 0.5 / 3)
    single = SCORES.select(np.array([0, 1]))
    assert single.image_gain(np.zeros(2)) == (pytest.approx(1.5), 0.0)


def encoded(folder, rows, name, tokenizers=None, limit=4):
    table = read(folder, rows, name)
    return EncodedTable(table, tokenizers or tokenizers_of(table), 9, limit)


def test_rows_with_a_cut_or_unknown_target_are_not_judged(tmp_path):
    first = [("a.png", "q?", "red"), ("b.png", "q?", "red"), ("c.png", "q?", "dark blue")]
    tokenizers = tokenizers_of(read(tmp_path, first, "first.csv"))
    train = encoded(tmp_path, first, "first.csv", tokenizers, limit=2)
    models = fit_blind_models(blind_rows(train), tokenizers.answer.size)
    rows = [(f"{i}.png", "q?", text) for i, text in enumerate(("red", "tall", "red red red"))]
    later = encoded(tmp_path, rows, "later.csv", tokenizers, limit=2)
    scores = score_blindly(models, later, "")
    assert scores.is_judged.tolist() == [True, False, False]
    assert scores.exact_match[PRIOR] == pytest.approx(1 / 3)
    only = encoded(tmp_path, rows[1:2], "only.csv", tokenizers, limit=2)
    assert score_blindly(models, only, "").is_judged.tolist() == [True]
    floor = floor_of(models, train, later, "")
    assert floor.train_prior == pytest.approx(models.nats(blind_rows(train))[PRIOR])
    assert floor.train_prior[0] < math.log(3) < floor.train_prior[2]
