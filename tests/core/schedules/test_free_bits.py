import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.schedules.free_bits import automatic_free_bits


def test_the_example_of_the_documentation():
    assert automatic_free_bits(1.69, 50.0, 6, 256, "mean") == pytest.approx(0.055, abs=5e-5)
    assert automatic_free_bits(1.69, 50.0, 6, 256, "sum") == pytest.approx(14.08, abs=5e-3)


@given(st.floats(0, 20), st.floats(0, 1e4), st.integers(1, 64), st.integers(1, 1024), st.booleans())
def test_a_latent_at_its_free_bits_has_the_allowed_rate(entropy, per_need, tokens, dims, is_mean):
    free_bits = automatic_free_bits(entropy, per_need, tokens, dims, "mean" if is_mean else "sum")
    rate = free_bits * tokens * (dims if is_mean else 1)
    assert rate == pytest.approx(per_need * entropy)


@pytest.mark.parametrize(
    "arguments",
    [
        (-1.0, 50.0, 6, 256, "mean"),
        (math.nan, 50.0, 6, 256, "mean"),
        (1.0, math.inf, 6, 256, "mean"),
        (1.0, 50.0, 0, 256, "mean"),
        (1.0, 50.0, 6, 0, "sum"),
        (1.0, 50.0, 6, 256, "max"),
    ],
)
def test_nonsense_is_refused(arguments):
    with pytest.raises(ValueError):
        automatic_free_bits(*arguments)
