from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.config import Text
from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.rows import blind_rows, most_frequent, question_key
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import EOS, train_tokenizers
from tests.data.blind.made import made_rows

TABLE = """image,question,answers,type
b.png,What  is it?,"[""A cat."", ""cat""]",what
a.png,what IS it?,"[""dog""]",what
a.png,Is it red?,"[""yes"", ""Yes"", ""no""]",is
"""


def encoded(folder):
    (folder / "t.csv").write_text(TABLE)
    table = read_questions(folder / "t.csv", images=folder)
    return EncodedTable(table, train_tokenizers(Text(min_count=1), table), 9, 4)


def test_the_rows_of_a_table_are_seen_without_its_pixels(tmp_path):
    table = encoded(tmp_path)
    rows = blind_rows(table)
    assert rows.texts == ["what is it?", "what is it?", "is it red?"]
    assert rows.types == ["what", "what", "is"]
    assert rows.images.tolist() == [1, 0, 0]
    assert rows.keys == [table.target_key(row) for row in range(3)]
    assert {key[-1] for key in rows.keys} == {EOS}


def test_references_are_normalised_by_the_language_and_held_once(tmp_path):
    assert blind_rows(encoded(tmp_path)).references[2] == ("yes", "no")
    assert blind_rows(encoded(tmp_path), "en").references[0] == ("cat",)


def test_selected_rows_keep_their_columns_together():
    rows = made_rows(["a", "b", "c"], [0, 1, 2], images=[5, 6, 7], types=["x", "y", "z"])
    part = rows.select(np.array([2, 0]))
    assert len(part) == 2
    assert (part.texts, part.types) == (["c", "a"], ["z", "x"])
    assert part.keys == [rows.keys[2], rows.keys[0]]
    assert part.references == [("2",), ("0",)]
    assert part.images.tolist() == [7, 5]
    assert made_rows(["a"], [0]).select(np.array([0])).types is None


def test_questions_are_the_same_whatever_their_case_and_white_space():
    assert question_key(" What\tis\n IT? ") == question_key("what is it?") == "what is it?"
    assert question_key("STRASSE") == question_key("straße")
    assert question_key("what is it") != question_key("what is it?")


def test_questions_are_the_same_in_every_spelling_of_their_language():
    assert question_key("TÒA nhà nào?", "vi") == question_key("toà nhà nào?", "vi")
    assert question_key("tòa nhà nào?") != question_key("toà nhà nào?")


@given(
    st.lists(
        st.tuples(st.sampled_from("xy"), st.sets(st.sampled_from("abc")).map(sorted)), max_size=9
    )
)
def test_the_most_frequent_answer_stands_in_most_rows_of_its_group(rows):
    found = most_frequent(rows)
    for group in "xy":
        counts = Counter(text for own, texts in rows if own == group for text in texts)
        assert (group in found) is bool(counts)
        if counts:
            assert counts[found[group]] == max(counts.values())


def test_of_answers_as_frequent_the_first_seen_is_taken():
    assert most_frequent([("x", ("b",)), ("x", ("a",))]) == {"x": "b"}
