from collections import Counter

import numpy as np
import pytest

from latentvqa.data.audit import blind
from latentvqa.data.audit.blind import fit_to, left_out_scores, scores_of
from tests.data.audit.made_tables import read, tokenizers_of


def table_of(folder, answers, name="t.csv", each=2):
    """Questions about images in turn, so many an image."""
    rows = [(f"{i // each:03d}.png", f"q{i % 3}?", answer) for i, answer in enumerate(answers)]
    return read(folder, rows, name)


def test_within_a_table_the_answers_of_an_image_are_not_counted_for_it(tmp_path):
    # each image has an answer of its own: others never tell it
    table = table_of(tmp_path, [f"word{i // 2}" for i in range(20)])
    assert left_out_scores(table, tokenizers_of(table), 4)["answers"] == 0.0


def test_a_single_image_leaves_nothing_to_be_fitted_to(tmp_path):
    table = table_of(tmp_path, ["yes", "no"])
    assert left_out_scores(table, tokenizers_of(table), 4) == {}


def test_a_later_table_is_scored_with_the_answers_of_the_first(tmp_path):
    first = table_of(tmp_path, ["yes"] * 4 + ["no"] * 2)
    later = table_of(tmp_path, ["no"] * 6 + ["yes"] * 2, "later.csv")
    tokenizers = tokenizers_of(first)
    found = scores_of(later, tokenizers, 4, fit_to(first, tokenizers, 4))
    assert found["answers"] == 2 / 8  # "yes" to everything


def test_of_a_large_table_whole_images_are_drawn_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(blind, "MOST_FITTED", 30)
    monkeypatch.setattr(blind, "MOST_SCORED", 10)
    drawn, keep = [], blind._rows

    def noted(table, *limits):
        drawn.append(table)
        return keep(table, *limits)

    monkeypatch.setattr(blind, "_rows", noted)
    table = table_of(tmp_path, ["yes", "no", "no"] * 100, each=3)
    tokenizers = tokenizers_of(table)
    shares = [left_out_scores(table, tokenizers, 4) for _ in range(2)]
    assert shares[0] == shares[1]
    assert shares[0]["question_text"] == 1.0  # of each image the same three are asked
    assert shares[0]["answers"] == pytest.approx(2 / 3)
    first, second = drawn
    assert first.rows.tolist() == second.rows.tolist()
    assert 30 < len(first) <= 40
    assert set(Counter(first.image_index.tolist()).values()) == {3}
    # not the first images, nor such as stand evenly apart
    assert len(set(np.diff([int(name[:3]) for name in first.image_names]).tolist())) > 1


def test_two_images_are_drawn_however_many_rows_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(blind, "MOST_FITTED", 3)
    monkeypatch.setattr(blind, "MOST_SCORED", 3)
    table = table_of(tmp_path, ["yes"] * 40, each=10)
    assert left_out_scores(table, tokenizers_of(table), 4)["answers"] == 1.0
