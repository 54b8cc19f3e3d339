import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import Normal

from latentvqa.engine.metrics.mutual_information import mutual_information


def gaussian_channel(examples, units, spread, noise=1.0, seed=1):
    """Means ~ N(0, spread^2) and a fixed noise: I = units / 2 log(1 + spread^2 / noise^2)."""
    generator = torch.Generator().manual_seed(seed)
    mu = spread * torch.randn(examples, units, generator=generator, dtype=torch.float64)
    return mu, torch.full_like(mu, 2.0 * math.log(noise))


def test_it_is_the_mean_log_ratio_of_posterior_and_mixture():
    mu, logvar = gaussian_channel(7, 2, 1.0)
    logvar = logvar + torch.linspace(-1, 1, 14).view(7, 2)
    found = mutual_information(mu, logvar, 0.5, seed=3)
    noise = torch.randn(7, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    std = 0.5 * (0.5 * logvar).exp()
    z = mu + std * noise
    density = Normal(mu[None], std[None]).log_prob(z[:, None]).sum(-1)  # (z, posterior)
    expected = (density.diagonal() - density.logsumexp(1) + math.log(7)).mean()
    assert found.value == pytest.approx(float(expected), abs=1e-9)


def test_a_gaussian_channel_has_the_information_of_the_textbook():
    mu, logvar = gaussian_channel(4000, 1, 1.0)
    assert mutual_information(mu, logvar, 1.0).value == pytest.approx(0.5 * math.log(2), abs=0.03)
    # half the standard deviation is a quarter of the variance
    assert mutual_information(mu, logvar, 0.5).value == pytest.approx(0.5 * math.log(5), abs=0.04)


def test_two_classes_have_the_information_of_their_overlap():
    mu = torch.tensor([-1.0, 1.0]).repeat(1500)[:, None]
    found = mutual_information(mu, torch.zeros_like(mu), 1.0)

    def entropy_of_mixture(z):
        density = 0.5 * (norm.pdf(z, -1) + norm.pdf(z, 1))
        return -density * np.log(density)

    truth = quad(entropy_of_mixture, -12, 12)[0] - 0.5 * math.log(2 * math.pi * math.e)
    assert found.value == pytest.approx(truth, abs=0.03)


def test_a_collapsed_posterior_says_nothing():
    nothing = torch.zeros(500, 6)
    assert mutual_information(nothing, nothing, 0.6).value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("examples", [10, 100])
def test_examples_that_all_differ_reach_log_n_and_are_marked(examples):
    mu, logvar = gaussian_channel(examples, 400, 3.0)
    found = mutual_information(mu, logvar, 0.5)
    assert found.value == pytest.approx(math.log(examples), abs=1e-6)
    assert found.log_n == math.log(examples)
    assert found.is_at_ceiling


def test_a_value_more_than_one_nat_below_log_n_is_not_marked():
    mu, logvar = gaussian_channel(2000, 1, 1.0)
    assert not mutual_information(mu, logvar, 1.0).is_at_ceiling


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="must be above 0"):
        mutual_information(torch.zeros(3, 2), torch.zeros(3, 2), 0.0)
