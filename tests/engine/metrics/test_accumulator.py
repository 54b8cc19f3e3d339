import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from latentvqa.core.histogram import kl_after_at
from latentvqa.core.records import KLConvention
from latentvqa.engine.metrics.accumulator import MetricAccumulator, entropy_of, information_bound
from latentvqa.models import Posterior
from latentvqa.objectives import free_bits_penalty, kl_per_dimension, kl_per_token

CPU = torch.device("cpu")
K, Z = 3, 4
KL = KLConvention(tokens=K, dims=Z, free_bits=0.1)
RESULT = {"temperature": 0.5, "answer_entropy": 1.0, "orthogonality_weight": 0.1}


def posteriors(rows=40, scale=0.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mu = scale * torch.randn(rows, K, Z, generator=generator)
    return Posterior(mu, 0.3 * torch.randn(rows, K, Z, generator=generator))


def add(measures, posterior, weight=2.0):
    rows = len(posterior.mu)
    nll = torch.linspace(0.1, 2.0, rows)
    measures.add_posterior(posterior, weight)
    measures.add_answers(nll, torch.tensor(2 * rows), nll < 1.0)
    measures.add_regularisers(torch.tensor(0.25), torch.tensor(0.5), rows)


def measured(kl=KL, posterior=None, **options):
    measures = MetricAccumulator(kl, CPU)
    add(measures, posteriors() if posterior is None else posterior)
    return measures.result(**{**RESULT, **options})


# The bound on the information.


@pytest.mark.parametrize("temperature", [0.3, 0.5, 1.0])
def test_for_a_linear_gaussian_channel_the_bound_is_the_mutual_information(temperature):
    # z = x + t s e with x ~ N(0, a^2): I(x; z) = 0.5 log(1 + a^2 / (t s)^2), per dimension
    signal = torch.tensor([[0.0, 0.5], [2.0, 10.0]], dtype=torch.float64)
    noise = torch.tensor([[1.0, 0.2], [0.5, 0.01]], dtype=torch.float64)
    expected = 0.5 * (1 + signal / (temperature**2 * noise)).log().sum().item()
    bound = information_bound(signal, noise, noise.log().sum().item(), temperature)
    assert bound == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("distance", [0.3, 1.0, 4.0])
def test_the_bound_is_not_below_the_information_of_a_binary_signal(distance):
    # z = +-a + e: I = h(z) - h(e), by numerical integration
    z = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
    density = 0.5 * sum(Normal(m, 1.0).log_prob(z).exp() for m in (-distance, distance))
    entropy = -torch.trapezoid(torch.xlogy(density, density), z).item()
    information = entropy - Normal(0.0, 1.0).entropy().item()
    bound = information_bound(
        torch.tensor([[distance**2]]), torch.tensor([[1.0]]), 0.0, temperature=1.0
    )
    assert information <= bound
    assert information <= math.log(2)
    if distance == 0.3:  # the signal is all but Gaussian there
        assert bound == pytest.approx(information, rel=0.05)


def test_a_noise_of_varying_strength_loosens_the_bound_only_upwards():
    logvar = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64)
    bound = information_bound(
        torch.tensor([[0.0]]), logvar.exp().mean()[None, None], logvar.mean().item(), 1.0
    )
    assert bound > 0.0  # the data means and the strengths say something about the input


def test_a_collapsed_posterior_carries_nothing():
    posterior = Posterior(torch.zeros(5, K, Z), torch.zeros(5, K, Z))
    found = measured(posterior=posterior)
    assert found.information_bound == pytest.approx(0.0, abs=1e-12)
    assert found.kl_raw == found.kl_after == found.rate == 0.0
    assert found.active_units == 0


def test_without_noise_there_is_no_bound():
    assert measured(temperature=0.0).information_bound is None


def test_the_bound_of_a_pass_is_that_of_its_moments():
    posterior = posteriors()
    mu, logvar = posterior.mu.double(), posterior.logvar.double()
    expected = information_bound(
        mu.var(0, unbiased=False), logvar.exp().mean(0), logvar.sum((1, 2)).mean().item(), 0.5
    )
    assert measured().information_bound == pytest.approx(expected, rel=1e-9)


def test_less_temperature_leaves_more_information():
    bounds = [measured(temperature=t).information_bound for t in (1.0, 0.5, 0.1)]
    assert bounds == sorted(bounds)


# The KL.


@pytest.mark.parametrize(("reduction", "scale"), [("mean", K * Z), ("sum", K)])
def test_the_rate_is_the_kl_over_all_tokens_and_dimensions(reduction, scale):
    posterior = posteriors()
    std = (0.5 * posterior.logvar).exp()
    expected = kl_divergence(Normal(posterior.mu, std), Normal(0.0, 1.0)).sum((1, 2)).mean()
    found = measured(replace(KL, reduction=reduction))
    assert found.rate == pytest.approx(expected.item(), rel=1e-5)
    assert found.rate == pytest.approx(found.kl_raw * scale, rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_measures_are_those_that_the_loss_is_made_of(reduction):
    posterior = posteriors()
    kl = replace(KL, reduction=reduction)
    kl_token = kl_per_token(kl_per_dimension(posterior.mu, posterior.logvar), reduction)
    found = measured(kl)
    assert found.kl_raw == pytest.approx(kl_token.mean().item(), rel=1e-5)
    assert found.kl_after == pytest.approx(free_bits_penalty(kl_token, 0.1).item(), rel=1e-5)
    assert found.kl_tokens == pytest.approx(kl_token.mean(0).tolist(), rel=1e-5)
    weighted = 2.0 * found.kl_after
    assert found.total_loss == pytest.approx(found.answer_loss + weighted + 0.1 * 0.25)
    assert found.kl_share == pytest.approx(weighted / found.total_loss)
    assert found.teacher_loss == 0.5  # shown, but no part of the total


def test_a_hinged_kl_below_half_a_percent_counts_as_zero():
    mu = torch.zeros(1000, K, Z)
    mu[:, :, 0] = math.sqrt(0.79)  # kl_token 0.09875, inside the allowance
    mu[0, 0] = 1.0  # one token of three thousand outside it
    found = measured(posterior=Posterior(mu, torch.zeros_like(mu)))
    assert found.kl_after == 0.0
    assert found.penalty_reduction == 1.0
    mu[:100, 0] = 1.0
    assert measured(posterior=Posterior(mu, torch.zeros_like(mu))).kl_after > 0.0


def test_the_histogram_adds_up_and_agrees_with_the_kl_at_its_free_bits():
    found = measured()
    histogram = found.kl_histogram
    assert sum(histogram.counts) == 40 * K
    assert sum(histogram.sums) / (40 * K) == pytest.approx(found.kl_raw, rel=1e-9)
    assert KL.free_bits in histogram.edges
    low, high = kl_after_at(histogram, KL.free_bits)
    assert low == high
    assert low == pytest.approx(found.kl_after, rel=1e-6)


@pytest.mark.parametrize("free_bits", [0.0, 0.02, 0.37, 1.0])
def test_the_histogram_bounds_what_other_free_bits_would_have_cost(free_bits):
    posterior = posteriors()
    kl_token = kl_per_token(kl_per_dimension(posterior.mu.double(), posterior.logvar.double()))
    low, high = kl_after_at(measured().kl_histogram, free_bits)
    assert low - 1e-9 <= free_bits_penalty(kl_token, free_bits).item() <= high + 1e-9


def test_a_kl_exactly_on_an_edge_stands_in_the_bin_above_it():
    mu = torch.full((1, K, Z), 0.5)  # kl_token 0.125
    found = measured(replace(KL, free_bits=0.125), Posterior(mu, torch.zeros_like(mu)))
    histogram = found.kl_histogram
    assert histogram.counts[histogram.edges.index(0.125) + 1] == K
    assert found.kl_after == 0.0


def test_units_are_active_whose_mean_varies_above_the_limit():
    mu = torch.zeros(2, K, Z)
    mu[:, 0, 0] = torch.tensor([-0.2, 0.2])  # variance 0.04
    mu[:, 0, 1] = torch.tensor([-0.05, 0.05])  # variance 0.0025
    mu[:, 1] = 3.0  # far from the prior, and the same for every example
    found = measured(posterior=Posterior(mu, torch.zeros_like(mu)))
    assert found.active_units == 1


def test_a_deterministic_bottleneck_has_active_units_but_no_kl():
    posterior = posteriors()
    deterministic = Posterior(posterior.mu, None)
    found = measured(replace(KL, bottleneck="deterministic"), deterministic)
    assert found.active_units == K * Z
    for value in (found.kl_raw, found.kl_after, found.rate, found.information_bound):
        assert value is None
    assert found.kl_share is None
    assert found.total_loss == pytest.approx(found.answer_loss + 0.1 * 0.25)


def test_without_a_posterior_only_the_answers_are_measured():
    measures = MetricAccumulator(replace(KL, bottleneck="none"), CPU)
    measures.add_answers(torch.ones(4), torch.tensor(8), torch.tensor([True, False, True, True]))
    found = measures.result(**RESULT)
    assert (found.answer_loss, found.answer_nll, found.exact_match) == (0.5, 1.0, 0.75)
    assert found.total_loss == found.answer_loss
    assert found.orthogonality is found.teacher_loss is found.kl_raw is found.active_units is None


# Answers.


def test_the_entropy_of_answers_is_that_of_their_shares():
    assert entropy_of(["a"] * 5) == 0.0
    assert entropy_of(range(8)) == pytest.approx(math.log(8))
    shares = torch.tensor([0.5, 0.25, 0.25])
    expected = torch.distributions.Categorical(shares).entropy().item()
    assert entropy_of(["a", "a", "b", "c"]) == pytest.approx(expected, rel=1e-6)


def test_losses_come_per_token_and_per_answer_with_their_error():
    nll = torch.linspace(0.1, 2.0, 40).double()
    found = measured()
    assert found.rows == 40
    assert found.answer_nll == pytest.approx(nll.mean().item(), rel=1e-6)
    assert found.answer_loss == pytest.approx(nll.sum().item() / 80, rel=1e-6)
    error = nll.std(unbiased=False).item() / math.sqrt(40)
    assert found.answer_nll_error == pytest.approx(error, rel=1e-5)
    assert found.answer_gain == pytest.approx(1.0 - found.answer_nll)
    assert found.exact_match == pytest.approx((nll < 1.0).double().mean().item())
    assert measured(exact_match=0.5).exact_match == 0.5


def test_unequal_batches_give_no_mean_of_means():
    posterior = posteriors()
    whole = measured()
    measures = MetricAccumulator(KL, CPU)
    nll = torch.linspace(0.1, 2.0, 40)
    for part in (slice(0, 7), slice(7, 8), slice(8, 40)):
        rows = len(nll[part])
        measures.add_posterior(Posterior(posterior.mu[part], posterior.logvar[part]), 2.0)
        measures.add_answers(nll[part], torch.tensor(2 * rows), nll[part] < 1.0)
        measures.add_regularisers(torch.tensor(0.25), torch.tensor(0.5), rows)
    parts = measures.result(**RESULT)
    assert parts.kl_histogram.counts == whole.kl_histogram.counts
    for name in ("total_loss", "answer_nll", "kl_raw", "kl_after", "rate", "information_bound"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-9), name


def test_a_restored_pass_continues_exactly():
    straight, first = MetricAccumulator(KL, CPU), MetricAccumulator(KL, CPU)
    for measures in (straight, first):
        add(measures, posteriors(seed=1))
    second = MetricAccumulator(KL, CPU)
    second.load_state({name: value.clone() for name, value in first.state().items()})
    for measures in (straight, second):
        add(measures, posteriors(seed=2))
    assert second.result(**RESULT) == straight.result(**RESULT)
    assert straight.result(**RESULT) != first.result(**RESULT)


def test_adding_keeps_no_graph():
    mu = torch.randn(4, K, Z, requires_grad=True)
    measures = MetricAccumulator(KL, CPU)
    add(measures, Posterior(mu, torch.zeros_like(mu)))
    assert not any(value.requires_grad for value in measures.state().values())
    assert all(value.dtype is torch.float64 for value in measures.state().values())
