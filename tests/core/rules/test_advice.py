from dataclasses import replace

import pytest

from latentvqa.config import Config
from latentvqa.core.rules import advice
from latentvqa.core.rules.rule import Advice, views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.runs import HEADER, KL, make_run


def last(epochs=12, header=HEADER, **changes):
    return views(header, make_run(epochs, **changes), KLHealthThresholds())[-1]


def test_advice_goes_to_the_values_of_the_shipped_recipe():
    config = Config()
    assert config.optimizer.latent_rate == advice.LATENT_RATE
    shipped = replace(KL, tokens=config.latent.tokens, dims=config.latent.dims)
    assert advice.lower_factor(last(header=replace(HEADER, kl=shipped))) is None


@pytest.mark.parametrize(
    ("kl", "after"),
    [
        # 15 x factor / (6 x 64) is the price of a nat
        (replace(KL, factor=0.26), None),
        (replace(KL, factor=0.27), 0.26),
        (replace(KL, factor=1.0, max_weight=0.0), None),
        (replace(KL, factor=200.0), 0.26),
        (replace(KL, factor=200.0, max_weight=1.0), 3.8),
        # summed over the dimensions, only the tokens share it
        (replace(KL, factor=0.1, reduction="sum"), 0.004),
        (replace(KL, factor=200.0, unknown=("dims",)), None),
    ],
)
def test_a_factor_is_lowered_until_a_nat_of_rate_is_cheap_and_no_further(kl, after):
    change = advice.lower_factor(last(header=replace(HEADER, kl=kl)))
    assert change == (None if after is None else Advice("kl.factor", kl.factor, after))


def test_a_rate_is_read_from_its_peak_and_lowered_where_it_is_fast():
    rates = [1e-3, 5e-3, 3e-3]
    view = last(3, vary=lambda n: {"learning_rates": {"latent": rates[n]}})
    assert advice.lower_latent_rate(view) == Advice("optimizer.latent_rate", 5e-3, 5e-4)
    for usual in ({}, {"latent": 5e-4}, {"decoder": 1e-2}):
        assert advice.lower_latent_rate(last(learning_rates=usual)) is None
