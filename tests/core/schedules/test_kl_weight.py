import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.schedules.epochs import warmup_fraction_at
from latentvqa.core.schedules.kl_weight import (
    Controller,
    ControllerState,
    constant_fraction_at,
    controlled,
    cyclical_fraction_at,
)

POSITIONS = st.floats(0, 100)
SHARES = st.floats(0.01, 1.0)


def test_constant_is_all_or_nothing():
    assert [constant_fraction_at(place, 2) for place in (0, 1.99, 2, 40)] == [0.0, 0.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="start_epoch"):
        constant_fraction_at(0, -1)


@given(POSITIONS, st.floats(0, 10), st.floats(0, 50))
def test_one_cycle_that_rises_throughout_is_the_straight_line(place, start, length):
    cyclical = cyclical_fraction_at(place, start, length, cycles=1, rising_share=1.0)
    assert cyclical == pytest.approx(warmup_fraction_at(place, start, length))


def test_every_cycle_rises_from_zero_and_then_stays_at_the_top():
    shares = [cyclical_fraction_at(place, 0, 16, cycles=4, rising_share=0.5) for place in range(20)]
    assert shares == [0.0, 0.5, 1.0, 1.0] * 4 + [1.0] * 4


def test_cycles_begin_at_the_start_epoch():
    at = [cyclical_fraction_at(place, 3, 8, cycles=2, rising_share=1.0) for place in range(12)]
    assert at == [0.0] * 4 + [0.25, 0.5, 0.75] + [0.0, 0.25, 0.5, 0.75] + [1.0]


@given(st.integers(1, 6), SHARES, st.integers(1, 200))
def test_inside_a_cycle_the_weight_never_falls(cycles, rising_share, steps):
    places = [step / steps * 0.999 for step in range(steps)]
    shares = [
        cyclical_fraction_at(place, 0, cycles, cycles=cycles, rising_share=rising_share)
        for place in places
    ]
    assert shares == sorted(shares)
    assert all(0.0 <= share <= 1.0 for share in shares)
    later = [
        cyclical_fraction_at(
            place + cycles - 1, 0, cycles, cycles=cycles, rising_share=rising_share
        )
        for place in places
    ]
    assert later == pytest.approx(shares, abs=1e-9 / rising_share)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((math.nan, 0, 1), {}),
        ((0, -1, 1), {}),
        ((0, 0, -1), {}),
        ((0, 0, 1), {"cycles": 0}),
        ((0, 0, 1), {"rising_share": 0.0}),
        ((0, 0, 1), {"rising_share": 1.1}),
        ((0, 0, 1), {"rising_share": math.nan}),
    ],
)
def test_cycles_refuse_nonsense(arguments, options):
    with pytest.raises(ValueError):
        cyclical_fraction_at(*arguments, **options)


def after(controller, kls, state=None):
    state = state or ControllerState()
    for kl_raw in kls:
        state = controlled(controller, state, kl_raw)
    return state


def test_a_kl_above_the_set_point_raises_the_weight_and_one_below_lowers_it():
    controller = Controller(0.1)
    middle = ControllerState(0.5, 0.5)
    assert after(controller, [0.2] * 10, middle).fraction > 0.5
    assert after(controller, [0.05] * 10, middle).fraction < 0.5
    assert after(controller, [0.1] * 10, middle).integral == pytest.approx(0.5)


def test_at_the_set_point_the_proportional_term_is_half_its_gain():
    held = controlled(
        Controller(0.1, proportional_gain=0.4, integral_gain=0.0), ControllerState(), 0.1
    )
    assert held == ControllerState(0.0, pytest.approx(0.2))


def test_the_proportional_term_lies_between_nothing_and_its_gain():
    controller = Controller(0.1, proportional_gain=0.4, integral_gain=0.0)
    shares = [after(controller, [kl]).fraction for kl in (0.0, 0.05, 0.1, 0.3, 1e300)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.4 / (1.0 + math.e))
    assert shares[-1] == 0.4


def test_a_step_at_twice_the_set_point_adds_the_integral_gain():
    controller = Controller(0.1, proportional_gain=0.0, integral_gain=0.01)
    assert after(controller, [0.2]).fraction == pytest.approx(0.01)
    assert after(controller, [0.2] * 5).fraction == pytest.approx(0.05)
    assert after(controller, [0.2] * 5 + [0.0] * 3).fraction == pytest.approx(0.02)


@given(st.lists(st.floats(0, 1e6), max_size=30), st.floats(1e-6, 1e3), st.floats(0, 2), SHARES)
def test_the_weight_stays_within_its_bounds(kls, set_point, proportional, integral):
    assert 0.0 <= after(Controller(set_point, proportional, integral), kls).fraction <= 1.0


@given(st.integers(1, 2000))
def test_a_weight_at_its_bound_turns_around_at_once(steps):
    controller = Controller(0.1, integral_gain=0.01)
    full = after(controller, [1.0] * (steps + 12))
    assert full.fraction == 1.0
    assert controlled(controller, full, 0.05).fraction < 1.0
    empty = after(controller, [0.0] * steps)
    assert empty.fraction == 0.0
    assert controlled(controller, empty, 0.2).fraction > 0.0


@given(st.floats(0.01, 0.95), st.sampled_from([1.0, 256.0]))
def test_the_kl_is_held_at_the_set_point_whatever_its_unit(wanted, scale):
    """A KL that falls smoothly with the weight, as a posterior's does."""
    controller = Controller(scale * (1.0 - 0.9 * wanted), integral_gain=0.02)
    state = ControllerState()
    for _ in range(5000):
        kl_raw = scale * (1.0 - 0.9 * state.fraction)
        state = controlled(controller, state, kl_raw)
    assert kl_raw == pytest.approx(controller.set_point, rel=1e-3)


@pytest.mark.parametrize("kl_raw", [-0.1, math.nan, math.inf])
def test_a_controller_refuses_a_kl_that_is_none(kl_raw):
    with pytest.raises(ValueError, match="kl_raw"):
        controlled(Controller(0.1), ControllerState(), kl_raw)


@pytest.mark.parametrize(
    "arguments", [(0.0,), (-1.0,), (math.nan,), (0.1, -1.0), (0.1, 0.1, math.inf)]
)
def test_a_controller_refuses_nonsense(arguments):
    with pytest.raises(ValueError):
        Controller(*arguments)
