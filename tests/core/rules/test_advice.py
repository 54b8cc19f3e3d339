from dataclasses import replace

import pytest

from latentvqa.core.rules import advice
from latentvqa.core.rules.rule import Advice, views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.found import UNKNOWN
from tests.runs import HEADER, KL, make_run


def last(epochs=12, header=HEADER, **changes):
    return views(header, make_run(epochs, **changes), KLHealthThresholds())[-1]


@pytest.mark.parametrize(
    ("before", "after"), [(0.2, 0.15), (0.15, 0.11), (1.0 / 3.0, 0.25), (100.0, 75.0)]
)
def test_a_change_starts_from_the_exact_value_and_goes_to_a_round_one(before, after):
    header = replace(HEADER, kl=replace(KL, factor=before))
    assert advice.lower_factor(last(header=header)) == Advice("kl.factor", before, after)


def test_a_rate_is_read_from_its_peak():
    rates = [0.1e-3, 0.5e-3, 0.3e-3]
    view = last(3, vary=lambda n: {"learning_rates": {"latent": rates[n]}})
    assert advice.lower_latent_rate(view) == Advice("optimizer.latent_rate", 5e-4, 3e-4)
    assert advice.lower_latent_rate(last(learning_rates={})) is None


def test_the_teacher_is_eased_in_the_full_stage_only_and_where_it_works():
    assert advice.lower_teacher(last(12)) is None
    assert advice.lower_teacher(last(16)) == Advice("teacher.weight", 0.3, 0.2)
    alone = replace(HEADER, teacher_weight=0.0)
    assert advice.lower_teacher(last(16, alone)) is None


def test_less_free_bits_are_advised_only_late_and_where_no_information_speaks():
    lower = advice.lower_free_bits
    assert lower(last(val=UNKNOWN)) == Advice("kl.free_bits", 0.1, 0.07)
    assert lower(last(10, val=UNKNOWN)) is None
    assert lower(last()) is None
    assert lower(last(val=UNKNOWN, train={"kl_raw": 0.005})) is None
    without = replace(HEADER, kl=replace(KL, free_bits=0.0))
    assert lower(last(header=without, val=UNKNOWN)) is None


def test_a_warmup_of_unknown_length_is_eased_by_its_factor():
    unknown = replace(HEADER, warmup_epochs=None)
    assert advice.slow_kl_warmup(last(header=unknown)).key == "kl.factor"
    assert advice.slow_kl_warmup(last()) == Advice("kl.warmup_epochs", 15, 30.0)
