from dataclasses import replace

import pytest

from latentvqa.core.audit.facts import ImageFacts, PairFacts, Rows, TableFacts, TopAnswer
from latentvqa.core.audit.rules import judge_images, judge_pairs, judge_tables

TABLE = TableFacts(
    name="t.csv",
    rows=1000,
    images=100,
    answers=10,
    duplicates=Rows(),
    conflicts=Rows(),
    top_answers={"colour": TopAnswer(500, "red", 0.3)},
    priors={"answers": 0.3, "question_text": 0.5},
    truncated_questions=Rows(),
    truncated_answers=Rows(),
    unknown_words=0.0,
)
PAIR = PairFacts("t.csv", "v.csv", Rows(), Rows(), Rows())
IMAGES = ImageFacts(100, 0, 0, [], {"t.csv": Rows()}, {"RGB": 100}, (64, 64, 64), (64, 64, 64))
JUST = 1e-9


def seen(findings):
    return [(finding.code, finding.level) for finding in findings]


def test_a_sound_table_gives_no_finding():
    assert judge_tables([TABLE]) + judge_pairs([PAIR]) + judge_images(IMAGES) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"conflicts": Rows(0.01 - JUST, (2, 5))}, [("DA003", "info")]),
        ({"conflicts": Rows(0.01, (2, 5))}, [("DA003", "warning")]),
        ({"duplicates": Rows(0.001, (2, 5))}, [("DA004", "info")]),
        ({"top_answers": {"a": TopAnswer(50, "yes", 0.9)}}, [("DA006", "warning")]),
        ({"top_answers": {"a": TopAnswer(49, "yes", 1.0)}}, []),
        ({"top_answers": {"a": TopAnswer(50, "yes", 0.9 - JUST)}}, []),
        ({"priors": {"type": 0.9}}, [("DA007", "warning")]),
        ({"priors": {"type": 0.9 - JUST}}, []),
        ({"truncated_questions": Rows(0.01 - JUST, (2, 5))}, [("DA008", "info")]),
        ({"truncated_questions": Rows(0.01, (2, 5))}, [("DA008", "warning")]),
        ({"truncated_answers": Rows(0.01 - JUST, (2, 5))}, [("DA009", "info")]),
        ({"truncated_answers": Rows(0.01, (2, 5))}, [("DA009", "warning")]),
        ({"unknown_words": 0.05 - JUST}, []),
        ({"unknown_words": 0.05}, [("DA011", "warning")]),
    ],
)
def test_a_table_is_judged_on_either_side_of_each_threshold(changes, expected):
    assert seen(judge_tables([replace(TABLE, **changes)])) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leaked_paths": Rows(0.001, (2,))}, [("DA001", "warning")]),
        ({"copied_contents": Rows(0.002, (2,))}, [("DA002", "warning")]),
        ({"copied_contents": None}, []),
        ({"unseen_answers": Rows(0.05 - JUST, (2,))}, [("DA005", "info")]),
        ({"unseen_answers": Rows(0.05, (2,))}, [("DA005", "warning")]),
        ({"unseen_answers": None}, []),
    ],
)
def test_a_pair_is_judged_on_either_side_of_each_threshold(changes, expected):
    assert seen(judge_pairs([replace(PAIR, **changes)])) == expected


def test_bad_images_are_critical_and_counted():
    (finding,) = judge_images(replace(IMAGES, missing=2, corrupt=1))
    assert (finding.code, finding.level, finding.observed) == ("DA010", "critical", 3)
    assert "3 of 100 images" in finding.sentence


@pytest.mark.parametrize(
    ("first", "told"),
    [((7,), "row 7"), ((2, 5, 9), "rows 2, 5, 9"), ((2, 5, 9, 11), "rows 2, 5, 9, ...")],
)
def test_a_sentence_names_the_table_the_number_and_the_first_rows(first, told):
    (finding,) = judge_tables([replace(TABLE, conflicts=Rows(0.0321, first))])
    assert finding.sentence.startswith(f"3.21 % of the rows of t.csv ({told}) ask")


def test_copies_within_a_table_may_part_in_its_split():
    (finding,) = judge_images(replace(IMAGES, copies={"t.csv": Rows(0.5, (3, 7)), "v.csv": Rows()}))
    assert (finding.code, finding.level, finding.observed) == ("DA012", "info", 0.5)


def test_a_table_without_answers_is_told_and_not_judged_by_them():
    assert seen(judge_tables([replace(TABLE, answers=0, priors={}, top_answers={})])) == [
        ("DA013", "info")
    ]
