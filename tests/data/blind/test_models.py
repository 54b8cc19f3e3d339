import math
from pathlib import Path

import pytest

from latentvqa.config import Text
from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import (
    PRIOR,
    TEXT,
    TYPE,
    WORDS,
    fit_blind_models,
    left_out_matches,
)
from latentvqa.data.blind.rows import blind_rows
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import train_tokenizers
from tests.data.blind.made import filler_texts, made_rows, random_answers

RADIOLOGY = Path(__file__).parents[4] / "shared" / "data" / "vqa-rad"
VOCABULARY = 200


def test_answers_that_nothing_tells_are_guessed_by_chance():
    models = fit_blind_models(random_answers(2_000, 100, seed=0), VOCABULARY)
    # asked the very texts that training had: what it learnt of them is worth nothing
    again = random_answers(2_000, 100, seed=0)
    fresh = made_rows(
        again.texts, [(int(r[0]) * 7 + i) % 100 for i, r in enumerate(again.references)]
    )
    for name, right in models.matches(fresh).items():
        assert right.mean() < 0.04, name
    assert models.nats(fresh)[PRIOR].mean() == pytest.approx(math.log(100), rel=0.05)
    for name, right in left_out_matches(again, VOCABULARY).items():
        assert right.mean() < 0.04, name


def test_words_give_an_answer_away_although_every_text_stands_once():
    models = fit_blind_models(filler_texts(2_000, 8, seed=0), VOCABULARY)
    fresh = filler_texts(500, 8, seed=1)
    right, nats = models.matches(fresh), models.nats(fresh)
    assert right[WORDS].mean() > 0.95
    assert right[TEXT].mean() < 0.3
    assert nats[WORDS].mean() < 0.3 < nats[PRIOR].mean()


def test_a_question_text_backs_off_to_the_most_frequent_answer():
    rows = made_rows(["a", "a", "b", "c", "c"], [1, 1, 1, 0, 0], types=["x", "x", "x", "y", "y"])
    models = fit_blind_models(rows, VOCABULARY)
    asked = made_rows(["c", "never seen"], [0, 0], types=["y", "y"])
    assert models.answers(asked) == {PRIOR: ["1", "1"], TYPE: ["0", "0"], TEXT: ["0", "1"]}


def test_parts_are_left_out_one_after_the_other_until_enough_rows_are_scored():
    rows = made_rows(["q?"] * 50, [1] * 50)
    for enough, scored in ((None, 50), (1, 10), (10, 10), (11, 20), (999, 50)):
        found = left_out_matches(rows, VOCABULARY, most_word_rows=0, enough=enough)
        assert {name: right.tolist() for name, right in found.items()} == {
            name: [True] * scored for name in (PRIOR, TEXT)
        }


@pytest.mark.skipif(not RADIOLOGY.exists(), reason="the tables are not beside the checkout")
@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        ("train", "test", {PRIOR: 29.5, TYPE: 31.9, TEXT: 33.5}),
        ("disjoint-train", "disjoint-test", {PRIOR: 32.0, TYPE: 32.0, TEXT: 34.4}),
    ],
)
def test_radiology_priors_are_those_of_its_description(train, test, expected):
    def rows(name):
        table = read_questions(RADIOLOGY / f"{name}.csv", images=RADIOLOGY / "images")
        return table, lambda tokenizers: blind_rows(EncodedTable(table, tokenizers, 32, 8))

    table, encoded = rows(train)
    tokenizers = train_tokenizers(Text(), table)
    models = fit_blind_models(encoded(tokenizers), tokenizers.answer.size)
    right = models.matches(rows(test)[1](tokenizers))
    for name, share in expected.items():
        assert 100 * right[name].mean() == pytest.approx(share, abs=0.1), name
    assert right[WORDS].mean() > right[TEXT].mean()
