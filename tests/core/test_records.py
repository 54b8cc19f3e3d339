import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from latentvqa.core.records import (
    EpochRecord,
    KLConvention,
    RunHeader,
    SplitMetrics,
    StagePlan,
    WholeHistogram,
)


@pytest.mark.parametrize(("reduction", "scale"), [("mean", 1.0), ("sum", 32.0)])
def test_thresholds_of_the_mean_are_scaled_by_the_dimensions_under_sum(reduction, scale):
    assert KLConvention(reduction=reduction, dims=32).unit_scale == scale


def test_a_plan_lasts_as_long_as_its_stages():
    assert StagePlan(1, 20, 300).total == 321


def test_a_log_is_our_own_if_it_says_what_wrote_it():
    assert RunHeader(versions={"latentvqa": "0.1"}).is_own
    assert not RunHeader(name="a run of another tool").is_own


@given(st.floats(1e-6, 1e6), st.floats(0.0, 1.0))
def test_the_reduction_is_the_share_that_free_bits_take_away(kl_raw, share):
    metrics = SplitMetrics(kl_raw=kl_raw, kl_after=kl_raw * (1.0 - share))
    assert metrics.penalty_reduction == pytest.approx(share, abs=2e-9)


@pytest.mark.parametrize(
    ("kl_raw", "kl_after"), [(None, 0.1), (0.1, None), (0.0, 0.0), (-0.1, -0.2)]
)
def test_without_a_kl_there_is_no_reduction(kl_raw, kl_after):
    assert SplitMetrics(kl_raw=kl_raw, kl_after=kl_after).penalty_reduction is None


def test_sums_that_differ_in_a_bit_are_no_reduction():
    assert SplitMetrics(kl_raw=0.3, kl_after=0.1 + 0.2).penalty_reduction == 0.0


def record_of(train, val):
    losses = (SplitMetrics(answer_loss=loss) for loss in (train, val))
    return EpochRecord(0, "full", *losses)


def test_the_overfitting_ratio_is_validation_over_training_loss():
    assert record_of(0.5, 0.75).overfitting_ratio == 1.5


@pytest.mark.parametrize(("train", "val"), [(None, 1.0), (0.0, 1.0), (1.0, None)])
def test_without_both_losses_there_is_no_overfitting_ratio(train, val):
    assert record_of(train, val).overfitting_ratio is None


def test_a_histogram_has_one_bin_more_than_edges():
    read = TypeAdapter(WholeHistogram).validate_python
    whole = {"edges": [0.1, 0.2], "counts": [1, 2, 3], "sums": [0.05, 0.3, 0.9]}
    assert read(whole).counts == (1, 2, 3)
    for torn in ({"counts": [1, 2]}, {"sums": [0.1]}, {"edges": [0.1]}):
        with pytest.raises(ValidationError, match="torn"):
            read({**whole, **torn})
