import numpy as np
import pytest
import sacrebleu

from latentvqa.data.tables import read_questions
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.metrics.protocols import (
    PROTOCOLS,
    corpus_bleu,
    protocol_meanings,
    protocol_scores,
)
from tests.small_runs import write_images, write_rows

SAID = ["the small red car stands here", "two dogs are on the wide green field", "no"] * 5
WANTED = [
    ("the small red car stands there", "a red car stands here"),
    ("two dogs are on the green field",),
    ("no",),
] * 5


def table_of(folder, answers, header="image,question,answer"):
    rows = [(f"{row % 3}.png", "what?", answer) for row, answer in enumerate(answers)]
    return read_questions(
        write_rows(folder / "t.csv", rows, header), images=write_images(folder / "i", 3)
    )


def scores(answers, table, language):
    is_right = exact_matches(answers, table.answers, language)
    return protocol_scores(answers, is_right, table, language)


def test_bleu_is_that_of_sacrebleu_where_answers_have_four_words():
    # sacrebleu wants the references by their place, and every row to have as many
    said, wanted = SAID[:2] * 5, [*WANTED[:2]] * 5
    wanted = [row if len(row) > 1 else (row[0], row[0]) for row in wanted]
    streams = [[row[place] for row in wanted] for place in range(2)]
    expected = sacrebleu.corpus_bleu(said, streams, lowercase=True).score / 100
    found = corpus_bleu(said, wanted, np.arange(10))
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high
    assert "case:lc" in protocol_meanings(["bleu"])["bleu_signature"]


def test_bleu_of_one_word_answers_is_their_share_that_is_right():
    found = corpus_bleu(["red", "blue", "red", "red"], [("red",)] * 4, np.arange(4))
    assert found.value == pytest.approx(0.75)


def test_the_official_accuracy_needs_three_references_in_every_row(tmp_path):
    three = table_of(tmp_path, ['"[""a"", ""a"", ""b""]"'] * 3, "image,question,answers")
    assert "vqa_official" in scores(["a"] * 3, three, "")
    one = table_of(tmp_path / "one", ["a"] * 3) if (tmp_path / "one").mkdir() is None else None
    assert "vqa_official" not in scores(["a"] * 3, one, "")


def test_every_protocol_is_explained(tmp_path):
    table = table_of(tmp_path, ['"[""a"", ""a"", ""b""]"'] * 3, "image,question,answers")
    assert scores(["a", "b", "c"], table, "").keys() == PROTOCOLS.keys()


def test_the_language_reaches_the_measures(tmp_path):
    table = table_of(tmp_path, ["2 dogs"] * 3)
    plain = scores(["the two dogs"] * 3, table, "")
    english = scores(["the two dogs"] * 3, table, "en")
    assert (plain["exact_match"].value, english["exact_match"].value) == (0.0, 1.0)
    assert plain["token_f1"].value < english["token_f1"].value == 1.0
