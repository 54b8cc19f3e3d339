from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.logs.columns.fields import Field
from latentvqa.logs.loss_points import (
    Rounding,
    constant_weight,
    fits,
    is_telling,
    moves,
    points_of,
)

KLS = [5.0, 3.0, 2.0, 4.0]


def log(weight, kls=KLS, **changes):
    return [
        EpochRecord(
            epoch,
            "full",
            SplitMetrics(total_loss=1.0 + weight * kl, answer_loss=1.0, kl_raw=kl),
            **changes,
        )
        for epoch, kl in enumerate(kls)
    ]


def points(records, rounding=None, capacity=()):
    return points_of(records, capacity, rounding or Rounding(), "train")


@given(st.floats(0.01, 100.0))
def test_the_weight_that_makes_every_sum_is_found(weight):
    found = constant_weight(points(log(weight)))
    assert found == pytest.approx(weight, rel=0.01)
    assert fits(points(log(weight)), [found] * len(KLS))


def test_a_sum_that_another_term_makes_has_no_weight():
    mixed = [*log(0.5)[:2], *log(2.0)[2:]]
    assert constant_weight(points(mixed)) is None
    assert not fits(points(mixed), [0.5] * 4)
    assert fits(points(mixed), [0.5, 0.5, 2.0, 2.0])


def test_a_kl_that_lowers_the_total_has_no_weight():
    assert constant_weight(points(log(-0.1))) is None


def test_a_term_below_the_rounding_tells_nothing():
    fine = points(log(0.001))
    rough = points(log(0.001), Rounding({Field("train", "total_loss"): 0.05}))
    assert is_telling(fine) and not is_telling(rough)
    assert constant_weight(fine) is not None
    assert constant_weight(rough) is None


def test_a_constant_kl_is_not_told_from_another_constant_term():
    assert moves(points(log(1.0)))
    assert not moves(points(log(1.0, kls=[2.0, 2.1])))


def test_a_record_that_lacks_a_part_has_no_point():
    records = log(1.0)
    records[1] = EpochRecord(1, "full", SplitMetrics(total_loss=1.0, kl_raw=1.0))
    found = points(records, capacity=[7.0])
    assert [point is None for point in found] == [False, True, False, False]
    assert (found[0].capacity, found[2].capacity) == (7.0, None)


def test_the_weight_in_the_loss_goes_before_the_scheduled_one():
    assert points(log(1.0, kl_weight=3.0))[0].weight == 3.0
    assert points(log(1.0, kl_weight=3.0, effective_kl_weight=0.6))[0].weight == 0.6


def test_a_weight_has_no_more_digits_than_the_rounding_tells():
    rounding = Rounding({Field("train", name): 5e-4 for name in ("total_loss", "answer_loss")})
    told = [
        replace(record, train=replace(record.train, total_loss=round(record.train.total_loss, 3)))
        for record in log(0.1004, [1.934, 2.4, 3.1])
    ]
    points = points_of(told, (), rounding, "train")
    assert constant_weight(points) == 0.1
