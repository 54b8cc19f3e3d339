from dataclasses import replace

import pytest

from latentvqa.core.kl_precision import (
    floor_of,
    has_fallen,
    is_below_precision,
    is_perhaps_weighted,
    is_sampled,
    is_scattered,
    most_kl,
)
from latentvqa.core.rules.rule import views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.sides.paired_logs import foreign_raws


def falling(record):
    return replace(record, train=replace(record.train, answer_loss=1.0 - 0.01 * record.epoch))


def view(*raws, half=0.0, **header):
    told, records = foreign_raws(*raws)
    records = [falling(record) for record in records]
    told = replace(told, kl_resolution=half, **header)
    return views(told, records, KLHealthThresholds())[-1]


@pytest.mark.parametrize(("raw", "half", "most"), [(0.0, 0.005, 0.005), (0.01, 0.005, 0.015)])
def test_a_printed_kl_may_be_half_a_digit_more(raw, half, most):
    assert most_kl(view(raw, half=half), raw) == most
    assert most_kl(view(raw, half=half), 0.5) == 0.5


@pytest.mark.parametrize(("raw", "is_below"), [(0.0, True), (0.01, True), (0.0101, False)])
def test_a_kl_is_below_the_print_up_to_its_last_digit(raw, is_below):
    assert is_below_precision(view(raw, half=0.005)) == is_below


@pytest.mark.parametrize(
    ("raws", "scatters", "samples"),
    [
        ((0.02, -0.01, 0.03, -0.02), True, True),
        ((-0.01,), True, True),
        ((-1.0, -2.0, -3.0), False, False),
        ((5.0, 4.0, 0.5, -0.1), True, True),
        ((0.5, 0.4, 0.3), False, True),
        ((2.0, 0.3, 0.2, -9.0), True, False),
    ],
)
def test_a_sampled_kl_is_told_from_a_wrong_sign(raws, scatters, samples):
    assert is_scattered(view(*raws)) == scatters
    assert is_sampled(view(*raws)) == (samples or scatters)


@pytest.mark.parametrize(("last", "fell"), [(0.01, True), (0.0101, False)])
def test_a_hundredfold_fall_is_no_matter_of_a_weight(last, fell):
    assert has_fallen(view(1.0, 0.5, last)) == fell


def test_a_tiny_kl_that_never_was_larger_may_be_weighted():
    assert is_perhaps_weighted(view(6e-6, 7e-6, 8e-6))
    assert not is_perhaps_weighted(view(1.0, 7e-6, 8e-6))
    assert not is_perhaps_weighted(view(6e-3, 7e-3))
    assert not is_perhaps_weighted(view(6e-6, 7e-6, versions={"latentvqa": "1"}))


@pytest.mark.parametrize(
    ("raws", "half", "floor"),
    [
        ((4.0, *[3.0] * 5), 0.0, 3.0),
        ((4.0, *[0.5] * 5), 5e-4, 0.5),
        ((4.0, *[0.5] * 5), 5e-3, None),  # settled, as far as two decimals say
        ((4.0, *[3.0] * 5), 0.05, None),
        ((4.0, *[3.0] * 4), 0.0, None),
        (([0.07] * 5), 0.0, 0.07),
        ((4.0, *[0.07] * 5), 0.0, None),
        ((4.0, *[0.07] * 5), 5e-4, None),
        ((4.0, *[0.0] * 5), 0.0, None),
    ],
)
def test_a_floor_is_a_round_value_that_stays(raws, half, floor):
    assert floor_of(view(*raws, half=half)) == floor


def test_a_kl_that_stands_still_with_its_loss_has_settled():
    told, records = foreign_raws(4.0, *[3.0] * 5)
    assert floor_of(views(told, records, KLHealthThresholds())[-1]) is None
