import pytest
import torch

from latentvqa.models import LatentBottleneck, Posterior
from latentvqa.models.latent import token_dropout
from latentvqa.objectives import kl_per_dimension


def bottleneck(**changes):
    torch.manual_seed(0)
    arguments = {"width": 8, "tokens": 3, "dims": 4, "heads": 2} | changes
    return LatentBottleneck(**arguments)


@pytest.fixture
def fused():
    return torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1))


def test_a_sample_is_the_mean_plus_tempered_noise():
    mu, logvar, noise = torch.randn(3, 2, 3, 4)
    expected = mu + 0.6 * (0.5 * logvar).exp() * noise
    torch.testing.assert_close(Posterior(mu, logvar).sample(0.6, noise), expected)


def test_temperature_zero_gives_the_mean_and_draws_nothing():
    posterior = Posterior(torch.randn(2, 3, 4), torch.randn(2, 3, 4))
    before = torch.get_rng_state()
    assert torch.equal(posterior.sample(0.0), posterior.mu)
    assert torch.equal(torch.get_rng_state(), before)


def test_samples_have_the_moments_of_the_posterior():
    torch.manual_seed(0)
    mu, logvar = torch.full((40_000, 1, 1), 1.5), torch.full((40_000, 1, 1), -1.0)
    drawn = Posterior(mu, logvar).sample(0.5)
    assert drawn.mean().item() == pytest.approx(1.5, abs=0.01)
    assert drawn.var().item() == pytest.approx(0.25 * torch.tensor(-1.0).exp().item(), rel=0.05)


def test_the_untrained_posterior_has_the_variance_asked_for(fused):
    posterior = bottleneck(initial_logvar=-3.0).posterior(fused)
    assert posterior.mu.shape == posterior.logvar.shape == (2, 3, 4)
    torch.testing.assert_close(posterior.logvar, torch.full((2, 3, 4), -3.0), atol=0.05, rtol=0)


def test_each_latent_token_asks_for_itself(fused):
    mu = bottleneck().posterior(fused).mu
    assert not torch.allclose(mu[:, 0], mu[:, 1])


def test_a_deterministic_bottleneck_has_the_mean_for_its_latent(fused):
    made = bottleneck(kind="deterministic")
    posterior = made.posterior(fused)
    assert not hasattr(made, "logvar")
    assert torch.equal(posterior.sample(0.6), posterior.mu)
    assert posterior.logvar is None


def test_the_gradient_of_a_deterministic_latent_is_finite(fused):
    made = bottleneck(kind="deterministic")
    made.posterior(fused).sample(0.6).sum().backward()
    assert bool(torch.isfinite(made.queries.grad).all())


def test_the_posterior_is_fp32_under_autocast(fused):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        posterior = bottleneck().posterior(fused.bfloat16())
    assert posterior.mu.dtype is posterior.logvar.dtype is torch.float32


@pytest.mark.parametrize("bias", [60.0, -60.0])
def test_the_kl_leads_a_log_variance_back_from_beyond_its_bound(fused, bias):
    made = bottleneck(initial_logvar=bias)
    descent = torch.optim.Adam([made.logvar.bias], lr=1.0)
    posterior = made.posterior(fused)
    kl_per_dimension(posterior.mu, posterior.logvar).mean().backward()
    assert bool((made.logvar.bias.grad * bias > 0).all())  # towards 0
    for _ in range(150):
        descent.step()
        descent.zero_grad()
        posterior = made.posterior(fused)
        kl_per_dimension(posterior.mu, posterior.logvar).mean().backward()
    assert bool((made.logvar.bias.abs() < 6.0).all())


@pytest.mark.parametrize("bias", [60.0, -60.0])
def test_nothing_pulls_a_log_variance_further_beyond_its_bound(fused, bias):
    made = bottleneck(initial_logvar=bias)
    (-bias * made.posterior(fused).logvar).sum().backward()  # less the further it is
    assert made.logvar.bias.grad.tolist() == [0.0] * 4


def test_within_its_bounds_a_log_variance_is_as_it_is(fused):
    made = bottleneck(initial_logvar=-3.0)
    made.posterior(fused).logvar.sum().backward()
    torch.testing.assert_close(made.logvar.bias.grad, torch.full((4,), 6.0))


def test_an_extreme_log_variance_stays_usable(fused):
    made = bottleneck()
    with torch.no_grad():
        made.logvar.bias[:2] = 1e4
        made.logvar.bias[2:] = -1e4
    posterior = made.posterior(fused)
    assert bool(torch.isfinite(posterior.logvar.exp()).all())
    assert bool((posterior.logvar.exp() > 0).all())


def test_attention_over_the_fused_tokens_sums_to_one(fused):
    weights = bottleneck().attention_over(fused)
    assert weights.shape == (2, 3, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


def test_a_zeroed_memory_token_carries_nothing_but_its_place():
    made = bottleneck()
    identified = made.identify(torch.zeros(2, 3, 8))
    torch.testing.assert_close(identified, made.token_embedding.expand(2, 3, 8))


@pytest.mark.parametrize("probability", [0.3, 0.99])
def test_token_dropout_keeps_at_least_one_token_and_rescales_the_others(probability):
    torch.manual_seed(0)
    dropped = token_dropout(torch.ones(2000, 4, 2), probability)
    kept = dropped[..., 0] > 0
    assert torch.equal(kept, dropped[..., 1] > 0)  # whole tokens
    count = kept.sum(1, keepdim=True)
    assert int(count.min()) >= 1
    torch.testing.assert_close(dropped[..., 0], kept * 4 / count)
    torch.testing.assert_close(dropped.sum(1), torch.full((2000, 2), 4.0))


def test_token_dropout_drops_each_token_about_as_often_as_asked():
    torch.manual_seed(0)
    shares = (token_dropout(torch.ones(5000, 6, 1), 0.3) == 0).float().mean(0)
    assert shares.flatten().tolist() == pytest.approx([0.3] * 6, abs=0.03)


def test_token_dropout_of_zero_leaves_the_memory_alone():
    memory = torch.randn(2, 3, 4)
    assert token_dropout(memory, 0.0) is memory


def test_token_dropout_of_a_single_token_drops_nothing():
    assert torch.equal(token_dropout(torch.ones(50, 1, 2), 0.9), torch.ones(50, 1, 2))
