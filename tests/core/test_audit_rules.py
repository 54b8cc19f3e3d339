from dataclasses import replace

import pytest

from latentvqa.core.audit_rules import (
    ImageFacts,
    PairFacts,
    TableFacts,
    judge_images,
    judge_pairs,
    judge_tables,
)

TABLE = TableFacts(
    name="t.csv",
    rows=1000,
    images=100,
    answers=10,
    duplicates=0.0,
    conflicts=0.0,
    top_answers={"colour": (500, "red", 0.3)},
    priors={"global": 0.3, "question_text": 0.5},
    truncated_questions=0.0,
    truncated_answers=0.0,
    unknown_words=0.0,
)
PAIR = PairFacts("t.csv", "v.csv", 0.0, 0.0, 1.0)
IMAGES = ImageFacts(100, 0, 0, [], {"RGB": 100}, (64, 64, 64), (64, 64, 64))
JUST = 1e-9


def seen(findings):
    return [(finding.code, finding.level) for finding in findings]


def test_a_sound_table_gives_no_finding():
    assert judge_tables([TABLE]) + judge_pairs([PAIR]) + judge_images(IMAGES) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"conflicts": 0.01 - JUST}, [("DA003", "info")]),
        ({"conflicts": 0.01}, [("DA003", "warning")]),
        ({"duplicates": 0.001}, [("DA004", "info")]),
        ({"top_answers": {"a": (50, "yes", 0.9)}}, [("DA006", "warning")]),
        ({"top_answers": {"a": (49, "yes", 1.0)}}, []),
        ({"top_answers": {"a": (50, "yes", 0.9 - JUST)}}, []),
        ({"priors": {"type": 0.9}}, [("DA007", "warning")]),
        ({"priors": {"type": 0.9 - JUST}}, []),
        ({"truncated_questions": 0.01 - JUST}, [("DA008", "info")]),
        ({"truncated_questions": 0.01}, [("DA008", "warning")]),
        ({"truncated_answers": 0.01 - JUST}, [("DA009", "info")]),
        ({"truncated_answers": 0.01}, [("DA009", "warning")]),
        ({"unknown_words": 0.05 - JUST}, []),
        ({"unknown_words": 0.05}, [("DA011", "warning")]),
    ],
)
def test_a_table_is_judged_on_either_side_of_each_threshold(changes, expected):
    assert seen(judge_tables([replace(TABLE, **changes)])) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leaked_paths": 0.001, "leaked_contents": 0.001}, [("DA001", "warning")]),
        ({"leaked_contents": 0.002}, [("DA002", "warning")]),
        ({"leaked_contents": None}, []),
        ({"upper_bound": 0.95 + JUST}, [("DA005", "info")]),
        ({"upper_bound": 0.95 - JUST}, [("DA005", "warning")]),
    ],
)
def test_a_pair_is_judged_on_either_side_of_each_threshold(changes, expected):
    assert seen(judge_pairs([replace(PAIR, **changes)])) == expected


def test_bad_images_are_critical_and_counted():
    (finding,) = judge_images(replace(IMAGES, missing=2, corrupt=1))
    assert (finding.code, finding.level, finding.observed) == ("DA010", "critical", 3)
    assert "3 of 100 images" in finding.sentence


def test_a_sentence_names_the_table_and_the_number():
    (finding,) = judge_tables([replace(TABLE, conflicts=0.0321)])
    assert "3.21 %" in finding.sentence
    assert "t.csv" in finding.sentence
