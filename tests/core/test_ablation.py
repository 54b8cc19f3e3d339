from dataclasses import replace

import pytest

from latentvqa.core.ablation import (
    AblationResult,
    Comparison,
    RunResult,
)
from latentvqa.core.estimates import Estimate

BELOW, ABOVE, AROUND = (-0.2, -0.1), (0.1, 0.2), (-0.1, 0.1)


def comparison(over_seeds, over_images, n=3):
    def estimate(ends, count):
        return Estimate(0.0, *ends, count)

    images = None if over_images is None else estimate(over_images, 100)
    return Comparison({"exact_match": estimate(over_seeds, n)}, images)


@pytest.mark.parametrize(
    ("over_seeds", "over_images", "word"),
    [
        (ABOVE, ABOVE, "better"),
        (BELOW, BELOW, "worse"),
        (ABOVE, BELOW, "no difference shown"),
        (ABOVE, AROUND, "no difference shown"),
        (AROUND, BELOW, "no difference shown"),
        (AROUND, AROUND, "no difference shown"),
        (ABOVE, None, "better"),  # nothing is paired by image: the seeds alone decide
        ((0.0, 0.2), ABOVE, "no difference shown"),  # an end at 0 does not leave it out
    ],
)
def test_a_difference_is_shown_only_where_all_intervals_leave_out_zero(
    over_seeds, over_images, word
):
    assert comparison(over_seeds, over_images).word == word


@pytest.mark.parametrize(
    ("over_images", "word"), [(BELOW, "worse"), (AROUND, "no difference shown")]
)
def test_with_one_seed_the_interval_over_images_decides(over_images, word):
    assert comparison((None, None), over_images, n=1).word == word


def test_with_one_seed_and_no_paired_images_nothing_is_shown():
    assert comparison((None, None), None, n=1).word == "no difference shown"


def test_runs_are_found_by_their_state():
    runs = [RunResult("a", 0, "k", "failed"), RunResult("a", 1, "l", "finished")]
    result = AblationResult("n", "", "a", (0, 1), [], runs)
    assert result.in_state("failed") == runs[:1]
    assert result.in_state("failed", "finished") == runs


@pytest.mark.parametrize(("p_holm", "word"), [(0.0499, "better"), (0.05, "no difference shown")])
def test_among_several_arms_the_corrected_p_value_must_agree(p_holm, word):
    assert replace(comparison(ABOVE, ABOVE), p_holm=p_holm).word == word
