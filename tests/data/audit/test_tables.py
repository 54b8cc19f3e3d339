import pytest

from latentvqa.core.audit.facts import Rows, TopAnswer
from latentvqa.data.audit.tables import has_answers, pair_facts, table_facts
from tests.data.audit.made_tables import read, tokenizers_of

SEVERAL = "image,question,answers"


def facts_of(table, tokenizers=None, questions=9, answers=4):
    return table_facts(table, tokenizers or tokenizers_of(table), questions, answers)


def test_people_who_share_an_answer_do_not_contradict_each_other(tmp_path):
    rows = [("a.png", "q?", '"[""cat"", ""a cat""]"'), ("./a.png", "q?", '"[""cat"", ""dog""]"')]
    facts = facts_of(read(tmp_path, rows, header=SEVERAL))
    assert (facts.images, facts.conflicts.share) == (1, 0.0)
    rows.append(("a.png", "q?", '"[""cow"", ""bull""]"'))
    assert facts_of(read(tmp_path, rows, header=SEVERAL)).conflicts == Rows(1.0, (2, 3, 4))


def test_a_row_is_repeated_where_image_question_and_answer_are_the_same(tmp_path):
    rows = [("a.png", "q?", "x"), ("a.png", "Q?", "X"), ("b.png", "q?", "x"), ("a.png", "r?", "x")]
    facts = facts_of(read(tmp_path, rows))
    assert (facts.rows, facts.images, facts.answers) == (4, 2, 1)
    assert facts.duplicates == Rows(1 / 4, (3,))
    assert facts.conflicts == Rows(0.0, ())


def test_the_most_frequent_answer_is_the_one_among_most_rows_references(tmp_path):
    rows = [
        ("a.png", "q?", '"[""yes"", ""maybe""]"'),
        ("b.png", "q?", '"[""no"", ""maybe""]"'),
        ("c.png", "q?", '"[""yes"", ""perhaps"", ""maybe""]"'),
    ]
    facts = facts_of(read(tmp_path, rows, header=SEVERAL))
    assert facts.answers == 4
    assert facts.top_answers == {"all": TopAnswer(3, "maybe", 1.0)}
    # without b.png itself "yes" and "maybe" stand in as many rows, "yes" first
    assert facts.priors["answers"] == pytest.approx(2 / 3)


def test_each_type_has_its_most_frequent_answer(tmp_path):
    rows = [("a.png", "q?", "x", "t"), ("b.png", "q?", "x", "t"), ("c.png", "q?", "y", "u")]
    facts = facts_of(read(tmp_path, rows, header="image,question,answer,type"))
    assert facts.top_answers == {"t": TopAnswer(2, "x", 1.0), "u": TopAnswer(1, "y", 1.0)}
    assert {"type", "question_text"} < facts.priors.keys()


def test_what_is_cut_and_what_words_are_unknown_follows_the_training_table(tmp_path):
    first = read(tmp_path, [("a.png", "is it red", "yes")])
    rows = [("b.png", "is it very red", "yes"), ("c.png", "is it", "yes yes yes")]
    facts = facts_of(read(tmp_path, rows, "u.csv"), tokenizers_of(first), 4, 2)
    assert facts.truncated_questions == Rows(0.0, ())
    assert facts.truncated_answers == Rows(1 / 2, (3,))
    assert facts.unknown_words == pytest.approx(1 / 6)  # very
    cut = facts_of(read(tmp_path, rows, "u.csv"), tokenizers_of(first), 3, 3)
    assert cut.truncated_questions == Rows(1 / 2, (2,))
    assert cut.unknown_words == pytest.approx(1 / 5)


def test_a_pair_shares_images_by_path_and_answers_by_their_normal_form(tmp_path):
    first = read(tmp_path, [("a.png", "q?", "Red."), ("b.png", "q?", "blue")])
    rows = [("a.png", "r?", "red"), ("c.png", "q?", "green"), ("d.png", "q?", "BLUE")]
    pair = pair_facts(first, read(tmp_path, rows, "u.csv"), None)
    assert pair.leaked_paths == Rows(1 / 3, (2,))
    assert pair.unseen_answers == Rows(1 / 3, (3,))
    assert (pair.copied_contents, pair.near_copies) == (None, None)


def test_a_table_without_answers_has_none_to_measure(tmp_path):
    first = read(tmp_path, [("a.png", "q?", "x")])
    bare = read(
        tmp_path, [("a.png", "q?")], "u.csv", header="image,question", require_answers=False
    )
    assert (has_answers(first), has_answers(bare)) == (True, False)
    facts = facts_of(bare, tokenizers_of(first))
    assert (facts.answers, facts.priors, facts.top_answers) == (0, {}, {})
    assert pair_facts(first, bare, None).unseen_answers is None
