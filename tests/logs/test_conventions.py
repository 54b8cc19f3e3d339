import pytest

from latentvqa.core.records import EpochRecord, KLConvention, SplitMetrics
from latentvqa.logs.conventions import (
    ALL_FACTS,
    foreign_convention,
    known_by_weights,
    lacks,
    rate_of,
    with_consequences,
    with_rates,
)

KNOWN = KLConvention(tokens=2, dims=3, free_bits=0.0, factor=0.5, max_weight=4.0)


def records(scheduled=None, effective=None):
    count = len(scheduled or effective)
    columns = zip(scheduled or [None] * count, effective or [None] * count, strict=True)
    return [
        EpochRecord(epoch, "full", kl_weight=weight, effective_kl_weight=charged)
        for epoch, (weight, charged) in enumerate(columns)
    ]


@pytest.mark.parametrize(
    ("scheduled", "effective", "told"),
    [
        ([0.0, 1.0, 2.0, 2.0], [0.0, 0.2, 0.4, 0.4], {"factor": 0.2, "max_weight": 2.0}),
        ([0.0, 1.0, 2.0], [0.0, 0.2, 0.4], {"factor": 0.2}),  # still rises
        (None, [0.5, 0.5], {"factor": 1.0, "max_weight": 0.5}),
        ([1.0, 1.0], None, {"max_weight": 1.0}),
        ([0.0, 0.0], [0.0, 0.0], {}),
    ],
)
def test_weights_tell_factor_and_height_and_no_more(scheduled, effective, told):
    held = records(scheduled, effective)
    assert known_by_weights(held) == told
    convention, notes = foreign_convention(held)
    assert set(convention.unknown) == set(ALL_FACTS) - told.keys()
    assert bool(notes) is bool(told)


@pytest.mark.parametrize(("reduction", "rate"), [("mean", 0.6), ("sum", 0.2)])
def test_the_rate_is_the_kl_of_all_tokens_and_dimensions(reduction, rate):
    kl = KLConvention(reduction=reduction, tokens=2, dims=3)
    assert rate_of(SplitMetrics(kl_raw=0.1), kl) == pytest.approx(rate)
    assert rate_of(SplitMetrics(kl_raw=0.1, rate=9.0), kl) == 9.0


@pytest.mark.parametrize(("unknown", "is_known"), [("dims", False), ("free_bits", True)])
def test_no_rate_is_reckoned_from_what_is_not_known(unknown, is_known):
    kl = KLConvention(tokens=2, dims=3, unknown=(unknown,))
    assert (rate_of(SplitMetrics(kl_raw=0.1), kl) is not None) is is_known


def test_what_definitions_give_is_filled_in_and_said():
    split = SplitMetrics(total_loss=2.0, kl_raw=0.5, answer_entropy=1.5, answer_nll=1.0)
    (filled,), notes = with_consequences([EpochRecord(0, "full", split, kl_weight=2.0)], KNOWN)
    assert filled.effective_kl_weight == 1.0
    assert (filled.train.kl_after, filled.train.rate) == (0.5, 3.0)
    assert (filled.train.kl_share, filled.train.answer_gain) == (0.25, 0.5)
    assert filled.val == SplitMetrics()
    assert notes == ["Reckoned from the log's other values: rate, kl_after, kl_share, answer_gain."]


def test_what_the_log_says_itself_is_left_alone():
    split = SplitMetrics(
        total_loss=2.0, kl_raw=0.5, kl_after=0.4, rate=7.0, kl_share=0.9, answer_gain=0.1
    )
    record = EpochRecord(0, "full", split, kl_weight=2.0, effective_kl_weight=3.0)
    assert with_consequences([record], KNOWN) == ((record,), [])
    assert with_rates([record], KNOWN) == ((record,), [])


def test_of_our_own_log_only_the_rate_is_reckoned():
    (filled,), notes = with_rates([EpochRecord(0, "full", SplitMetrics(kl_raw=0.5))], KNOWN)
    assert filled.train == SplitMetrics(kl_raw=0.5, rate=3.0)
    assert notes == ["Reckoned from the log's kl_raw: rate."]


def test_what_is_missing_everywhere_is_named_once():
    sentence = lacks([EpochRecord(0, "full", SplitMetrics(kl_raw=0.5), kl_weight=1.0)])
    words = sentence.removeprefix("The log lacks: ").removesuffix(".").split(", ")
    assert len(words) == len(set(words))
    assert "validation kl_raw" in words
    assert {"rate", "total_loss", "effective_kl_weight", "exact_match"} <= set(words)
    assert {"kl_raw", "train kl_raw", "kl_weight"}.isdisjoint(words)
