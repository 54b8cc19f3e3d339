import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.schedules.epochs import (
    beta_at,
    learning_rate_factor_at,
    stage_at,
    temperature_at,
    warmup_fraction_at,
)


@pytest.mark.parametrize(
    ("epoch", "stage"),
    [(0, "baseline"), (1, "baseline"), (2, "warmup"), (4, "warmup"), (5, "full"), (8, "full")],
)
def test_stages_follow_each_other(epoch, stage):
    assert stage_at(epoch, baseline=2, warmup=3, full=4) == stage


@pytest.mark.parametrize("epoch", [-1, 9])
def test_an_epoch_outside_the_plan_is_refused(epoch):
    with pytest.raises(ValueError, match="9 planned epochs"):
        stage_at(epoch, baseline=2, warmup=3, full=4)


def test_a_negative_stage_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        stage_at(0, baseline=0, warmup=-1, full=4)


@pytest.mark.parametrize(
    ("epoch", "weight"), [(0, 0.0), (5, 1.0), (10, 2.0), (14, 2.8), (15, 3.0), (40, 3.0)]
)
def test_fifteen_epochs_warm_up_by_a_fifth_each(epoch, weight):
    assert 3.0 * warmup_fraction_at(epoch, 0, 15) == pytest.approx(weight)


def test_a_late_start_shifts_the_warmup():
    assert warmup_fraction_at(3, 3, 10) == 0.0
    assert warmup_fraction_at(8, 3, 10) == 0.5


def test_no_warmup_means_full_weight_from_the_start():
    assert warmup_fraction_at(0, 0, 0) == 1.0
    assert warmup_fraction_at(1.9, 2, 0) == 0.0
    assert warmup_fraction_at(2, 2, 0) == 1.0


@pytest.mark.parametrize("arguments", [(math.nan, 0, 1), (0, -1, 1), (0, 0, -1), (0, 0, math.inf)])
def test_warmup_refuses_nonsense(arguments):
    with pytest.raises(ValueError):
        warmup_fraction_at(*arguments)


def test_temperature_ramps_from_zero():
    assert [temperature_at(e, 0.6, 6) for e in (0, 3, 6, 9)] == pytest.approx([0.0, 0.3, 0.6, 0.6])
    assert temperature_at(0, 0.6) == 0.6
    with pytest.raises(ValueError, match="temperature"):
        temperature_at(0, -0.1)


def test_learning_rate_rises_then_falls_to_its_final_factor():
    factors = [learning_rate_factor_at(step, 100, 10, 0.01) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9] == factors[10] == 1.0
    assert factors[55] == pytest.approx(0.505)
    assert factors[100] == pytest.approx(0.01)


@given(st.integers(1, 200), st.data())
def test_learning_rate_factor_stays_within_bounds_and_never_rises_after_warmup(total, data):
    warmup = data.draw(st.integers(0, total))
    factors = [learning_rate_factor_at(step, total, warmup) for step in range(total + 1)]
    assert all(0.0 <= factor <= 1.0 for factor in factors)
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    assert factors[:warmup] == sorted(factors[:warmup])


@pytest.mark.parametrize(
    "arguments", [(0, 0, 0), (-1, 10, 0), (11, 10, 0), (0, 10, 11), (0, 10, 0, 2.0)]
)
def test_learning_rate_refuses_nonsense(arguments):
    with pytest.raises(ValueError):
        learning_rate_factor_at(*arguments)


def test_beta_of_the_defaults_is_about_four_thousandths():
    assert beta_at(3.0, 2.0, 6, 256, "mean") == pytest.approx(6.0 / 1536)
    assert beta_at(3.0, 2.0, 6, 256, "sum") == pytest.approx(1.0)


@pytest.mark.parametrize(
    "arguments", [(-1, 2, 6, 256, "mean"), (3, 2, 0, 256, "mean"), (3, 2, 6, 256, "max")]
)
def test_beta_refuses_nonsense(arguments):
    with pytest.raises(ValueError):
        beta_at(*arguments)
