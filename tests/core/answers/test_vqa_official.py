import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.answers.vqa_official import vqa_official
from tests.core.answers.challenge import challenge_accuracy


@pytest.mark.parametrize(("matching", "expected"), [(0, 0), (1, 30), (2, 60), (3, 90), (4, 100)])
def test_the_official_accuracy_leaves_one_of_ten_out(matching: int, expected: float) -> None:
    references = ["cat"] * matching + ["dog"] * (10 - matching)
    assert 100 * vqa_official("cat", references) == pytest.approx(expected)


@given(st.integers(4, 12), st.data())
def test_the_official_accuracy_is_the_mean_over_left_out_references(
    count: int, data: st.DataObject
) -> None:
    references = data.draw(st.lists(st.sampled_from("xyz"), min_size=count, max_size=count))
    by_definition = sum(
        min(1.0, (references[:i] + references[i + 1 :]).count("x") / 3) for i in range(count)
    )
    assert vqa_official("x", references) == pytest.approx(by_definition / count)


def test_the_official_accuracy_normalises_only_where_references_differ() -> None:
    assert vqa_official("Black.", ["black"] * 10) == 0.0
    assert vqa_official("Black.", ["black"] * 9 + ["dark"]) == 1.0


@pytest.mark.parametrize(
    ("candidate", "reference"),
    [
        ("Two", "2"),
        ("none", "0"),
        ("the dont", "don't"),
        ("couldnt've", "couldn't've"),
        ("yall'd've", "y'all'd've"),
        ("'ow'sat", "'ow's'at"),
        ("somebody'd", "somebodyd"),
        ("red/blue", "red blue"),
        ("red ,blue", "red blue"),
        ("1,000", "1000"),
        ("a/b 1,000", "ab 1000"),
        ("3.5", "3.5"),
        ("St. Pauls", "st pauls"),
        ("A", ""),
        ("\nred\t", "red"),
    ],
)
def test_the_official_rules_make_equal(candidate: str, reference: str) -> None:
    assert vqa_official(candidate, [reference] * 9 + ["other"]) == 1.0


def test_the_official_rules_remove_only_the_first_32_periods() -> None:
    assert vqa_official("x" + "." * 33, ["x."] * 5 + ["y"] * 5) == 0.0
    assert vqa_official("x" + "." * 33, ["x" + "." * 33] * 5 + ["y"] * 5) == 1.0
    assert vqa_official("x" + "." * 32, ["x"] * 5 + ["y"] * 5) == 1.0


def test_the_official_accuracy_refuses_too_few_references() -> None:
    with pytest.raises(ValueError, match="at least 4 references, got 3"):
        vqa_official("a", ["a", "a", "a"])
    assert vqa_official("a", ["a"] * 4) == 1.0


WORDS = [
    *("a", "an", "the", "A", "The", "none", "zero", "two", "ten", "Ten", "eleven", "cat", "Cat"),
    *("dont", "don't", "isnt", "cant", "Id've", "id've", "wouldnt've", "its", "it's", "ows'at"),
    *("somebody'd", "yall", "oclock", "twas", "mustnt", "there'dve", "whos", "im", "Im"),
    *("3", "3.5", "1,000", "10,00,000", "x.", ".5", "u.s.a.", "...", "." * 33, "." * 32 + "7."),
    *("black", "Black.", "red/blue", "t-shirt", "50%", "c++", "e@mail", "(left)", "yes!", "no?"),
    *(
        "tab\there",
        "line\nbreak",
        " padded ",
        "",
        "-",
        ",",
        ", ,",
        "màu đỏ",
        "naïve",
        "a;b",
        "a ;b",
    ),
]


def test_10_000_random_answer_sets_agree_with_the_published_definition():
    draws = random.Random(0)

    def text():
        glue = draws.choice([" ", " ", " ", "", ", ", "-", "  "])
        return glue.join(draws.choice(WORDS) for _ in range(draws.choice([1, 1, 1, 2, 3])))

    scores = set()
    for _ in range(10_000):
        pool = [text() for _ in range(draws.choice([1, 2, 2, 3, 6]))]
        references = [draws.choice(pool) for _ in range(10)]
        candidate = draws.choice([*pool, text(), pool[0].upper(), f"the {pool[0]}."])
        expected = challenge_accuracy(candidate, references)
        assert vqa_official(candidate, references) == pytest.approx(expected, abs=1e-12), (
            candidate,
            references,
        )
        scores.add(round(expected, 3))
    assert {0.0, 0.3, 0.6, 0.9, 1.0} <= scores


@pytest.mark.parametrize(
    ("candidate", "references", "expected"),
    [
        ("Black.", ["black"] * 10, 0.0),
        ("A", ["A"] * 9 + ["b"], 1.0),  # becomes empty, like its references
        ("", ["A"] * 9 + ["b"], 1.0),
        ("none", ["0"] * 9 + ["b"], 1.0),
        ("x" + "." * 33, ["x."] * 5 + ["y"] * 5, 0.0),
    ],
)
def test_known_edge_cases_agree_by_name(candidate, references, expected):
    assert vqa_official(candidate, references) == expected
    assert challenge_accuracy(candidate, references) == pytest.approx(expected)
