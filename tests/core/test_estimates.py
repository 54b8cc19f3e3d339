import pytest

from latentvqa.core.estimates import Estimate, spread


def test_a_spread_is_the_mean_with_the_lowest_and_the_highest():
    assert spread([0.3, 0.1, 0.8]) == Estimate(pytest.approx(0.4), 0.1, 0.8, 3)


@pytest.mark.parametrize(
    ("low", "high", "sign", "includes_zero"),
    [
        (0.1, 0.2, 1, False),
        (-0.2, -0.1, -1, False),
        (-0.1, 0.1, 0, True),
        (0.0, 0.1, 0, True),
        (-0.1, 0.0, 0, True),
        (None, None, 0, False),
    ],
)
def test_the_ends_say_on_which_side_of_zero_a_number_lies(low, high, sign, includes_zero):
    estimate = Estimate(0.0, low, high, 3)
    assert (estimate.sign, estimate.includes_zero) == (sign, includes_zero)


def test_a_loss_is_the_gain_turned_round_with_its_ends():
    assert Estimate(-0.3, -0.4, -0.1, 9).negated == Estimate(0.3, 0.1, 0.4, 9)
    assert Estimate(-0.3, None, None, 1).negated == Estimate(0.3, None, None, 1)
