import math

import pytest
import torch

from latentvqa.engine.metrics.accumulator import information_bound
from latentvqa.engine.metrics.capacity import LatentCovariance

CPU = torch.device("cpu")


def capacity(mu, logvar, temperature=1.0, parts=1):
    held = LatentCovariance(mu[0].numel(), CPU)
    for block in zip(mu.chunk(parts), logvar.chunk(parts), strict=True):
        held.add(*block)
    return held.capacity(temperature)


def test_independent_dimensions_carry_the_sum_of_their_channels():
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn(200_000, 1, 3, generator=generator) * torch.tensor([1.0, 0.5, 0.0])
    logvar = torch.full_like(mu, math.log(0.25))
    expected = 0.5 * (math.log(1 + 4 * 1.0) + math.log(1 + 4 * 0.25))
    assert capacity(mu, logvar) == pytest.approx(expected, abs=0.01)
    half = 0.5 * (math.log(1 + 16 * 1.0) + math.log(1 + 16 * 0.25))
    assert capacity(mu, logvar, temperature=0.5) == pytest.approx(half, abs=0.01)


def test_dimensions_that_say_the_same_are_not_counted_anew():
    generator = torch.Generator().manual_seed(0)
    code = torch.randn(20_000, 1, 1, generator=generator)
    mu, logvar = code.expand(-1, 4, 16), torch.zeros(20_000, 4, 16)
    expected = 0.5 * math.log(1 + 64.0)  # 64 looks at one value through unit noise
    assert capacity(mu, logvar) == pytest.approx(expected, abs=0.05)
    apart = information_bound(mu.var(0), logvar.exp().mean(0), 0.0, 1.0)
    assert apart > 8 * expected


def test_rows_cannot_show_more_than_the_log_of_their_number():
    generator = torch.Generator().manual_seed(0)
    mu = 100.0 * torch.randn(50, 2, 8, generator=generator)
    assert capacity(mu, torch.zeros_like(mu)) == pytest.approx(math.log(50))


def test_a_posterior_that_is_the_prior_for_every_row_carries_nothing():
    assert capacity(torch.zeros(100, 2, 8), torch.zeros(100, 2, 8)) == 0.0


def test_batches_add_up_to_the_whole():
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn(64, 2, 3, generator=generator)
    logvar = torch.randn(64, 2, 3, generator=generator)
    assert capacity(mu, logvar, parts=5) == pytest.approx(capacity(mu, logvar), rel=1e-9)


def test_without_noise_there_is_no_bound_and_nan_gives_none():
    mu = torch.ones(4, 1, 2)
    assert capacity(mu, torch.zeros_like(mu), temperature=0.0) is None
    assert capacity(mu * math.nan, torch.zeros_like(mu)) is None
