"""How long a training takes, in words; the lines of a plan stand with the plan's own tests."""

import pytest

from latentvqa.cli.plan_lines import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "1 min 30 s"),
        (605, "10 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
    ],
)
def test_a_duration_is_said_in_a_fitting_unit(seconds, words):
    assert duration(seconds) == words
