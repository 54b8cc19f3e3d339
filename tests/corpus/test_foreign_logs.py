"""Logs in the shapes of other tools are told what was written down before they were run."""

import pytest

from tests.corpus.foreign_logs import EXPECTED, EXPECTED_SHARED, OWN, SHARED, faults


@pytest.mark.parametrize("name", EXPECTED)
def test_a_log_in_another_shape_is_told_what_is_right(name):
    assert faults(OWN / name, EXPECTED[name]) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the small logs do not lie beside the checkout")
@pytest.mark.parametrize("name", EXPECTED_SHARED)
def test_a_log_that_lies_beside_the_checkout_is_told_what_is_right(name):
    assert faults(SHARED / name, EXPECTED_SHARED[name]) == []


def test_every_log_has_an_expectation_with_a_reason():
    assert {path.name for path in OWN.iterdir()} == set(EXPECTED)
    assert all(expected["why"] for expected in EXPECTED.values())
