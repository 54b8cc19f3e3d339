from itertools import pairwise

import pytest

from latentvqa.report.diagnosis.curves import Chart, Curve
from latentvqa.report.diagnosis.value_scale import ValueScale, even_ticks


def scale_of(*values, is_logarithmic=False, **others):
    return ValueScale(Chart("x", (Curve("a", values),), is_logarithmic=is_logarithmic, **others))


def test_a_logarithmic_axis_has_powers_of_ten_down_to_the_least_value():
    scale = scale_of(0.0005, 20.0, 300.0, is_logarithmic=True)
    assert scale.ticks[0] == pytest.approx(1e-4) and scale.ticks[-1] == pytest.approx(1e3)
    assert scale.name == "log scale" and scale.label("nats") == "nats, log scale"
    places = [scale.place(value) for value in (0.0005, 0.05, 5.0, 300.0)]
    assert places == sorted(places)
    assert places[0] > scale.low  # above the foot of the axis, not on it


def test_a_logarithmic_axis_shows_what_lies_at_and_below_zero():
    scale = scale_of(-2.0, 0.0, 0.3, 150.0, is_logarithmic=True)
    assert scale.ticks == [-10.0, -1.0, 0.0, 1.0, 10.0, 100.0, 1000.0]
    assert scale.label("") == "log scale, linear near 0"
    places = [scale.place(value) for value in (-2.0, 0.0, 0.3, 1.0, 150.0)]
    steps = [high - low for low, high in pairwise(places)]
    assert min(steps) > 0.05 * (scale.high - scale.low)


def test_a_linear_axis_begins_at_zero_and_ends_above_the_largest_value():
    scale = scale_of(3.0, 7.9)
    assert scale.ticks[0] == scale.low == 0.0 and scale.high == scale.ticks[-1] >= 7.9
    assert scale.label("nats") == "nats"
    assert scale_of(-3.0, 7.9).low <= -3.0


def test_lines_and_the_band_fit_too():
    assert scale_of(1.0, lines=((12.0, "target"),)).high >= 12.0
    assert scale_of(1.0, band=(-2.0, 30.0, "band")).low <= -2.0


@pytest.mark.parametrize("values", [(1e30, 1.0), (-1e30, 1e30), (0.0, 0.0), (1e-30, 2e-30)])
@pytest.mark.parametrize("is_logarithmic", [True, False])
def test_any_value_lies_between_the_ends_and_the_ticks_are_few(values, is_logarithmic):
    scale = scale_of(*values, is_logarithmic=is_logarithmic)
    for value in (*values, 0.0, -5.0):
        assert scale.low <= scale.place(value) <= scale.high
    assert 2 <= len(scale.ticks) <= 12


@pytest.mark.parametrize(
    ("highest", "ticks"), [(0.19, 5), (0.02, 5), (1.0, 6), (0.0, 2), (37.0, 5)]
)
def test_even_ticks_hold_the_largest_value(highest, ticks):
    found = even_ticks(0.0, highest)
    assert found[0] == 0.0 and found[-1] >= highest and len(found) == ticks
