import json

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


FOUR = '"[""a"", ""a"", ""a"", ""the big red b""]"'
THREE = '"[""a"", ""a"", ""a""]"'


def test_the_official_accuracy_needs_four_references_in_every_row(tmp_path):
    for name, rows in {"four": [FOUR] * 3, "three": [FOUR, FOUR, THREE]}.items():
        (tmp_path / name).mkdir()
        table = table_of(tmp_path / name, rows, "image,question,answers")
        assert ("vqa_official" in scores(["a"] * 3, table, "")) == (name == "four")


@pytest.mark.parametrize(("long", "is_shown"), [(0, False), (1, False), (2, True), (4, True)])
def test_bleu_is_not_shown_where_most_answers_are_shorter_than_its_ngrams(tmp_path, long, is_shown):
    answers = ["the small red car"] * long + ["red small car"] * (4 - long)
    found = scores(answers, table_of(tmp_path, answers), "")
    assert ("bleu" in found) == is_shown
    assert ("bleu_signature" in protocol_meanings(found)) == is_shown


def test_every_protocol_is_explained(tmp_path):
    table = table_of(tmp_path, [FOUR] * 3, "image,question,answers")
    assert scores(["a", "b", "c"], table, "").keys() == PROTOCOLS.keys()


def test_the_language_reaches_the_measures(tmp_path):
    table = table_of(tmp_path, ["2 dogs"] * 3)
    plain = scores(["the two dogs"] * 3, table, "")
    english = scores(["the two dogs"] * 3, table, "en")
    assert (plain["exact_match"].value, english["exact_match"].value) == (0.0, 1.0)
    assert plain["token_f1"].value < english["token_f1"].value == 1.0


def test_every_measure_reads_the_spellings_of_a_language_as_one(tmp_path):
    said, wanted = "một tòa nhà khá cũ", "một toà nhà khá cũ"
    cell = json.dumps([wanted] * 4).replace('"', '""')
    table = table_of(tmp_path, [f'"{cell}"'] * 3, "image,question,answers")
    plain, spelt = (scores([said] * 3, table, language) for language in ("", "vi"))
    assert spelt.keys() == plain.keys() == PROTOCOLS.keys()
    for name, measure in spelt.items():
        assert measure.value == pytest.approx(1.0), name
        assert plain[name].value < 1.0, name
