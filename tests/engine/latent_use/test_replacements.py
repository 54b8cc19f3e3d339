import numpy as np
import pytest
import torch

from latentvqa.engine.latent_use.exchange import find_exchange
from latentvqa.engine.latent_use.replacements import replaced_latents
from latentvqa.models import Posterior

ROWS = torch.arange(40)


@pytest.fixture(scope="module")
def made():
    """A posterior of 40 rows, the means about other images, and all replacements."""
    generator = torch.Generator().manual_seed(0)
    mu = 3.0 + torch.randn(40, 3, 8, generator=generator)
    other = torch.randn(40, 3, 8, generator=generator)
    exchange = find_exchange([None] * 40, np.arange(40) // 4, 1)
    arms = dict(
        replaced_latents(
            Posterior(mu, torch.zeros_like(mu)),
            other,
            exchange,
            temperature=0.5,
            seed=7,
            is_short=False,
        )
    )
    return mu, other, exchange, {name: arm.latents(ROWS) for name, arm in arms.items()}


def test_each_replacement_is_what_its_name_says(made):
    mu, other, exchange, latents = made
    torch.testing.assert_close(latents["latents_of_another_image"], other)
    torch.testing.assert_close(latents["exchanged_0.25"], 0.75 * mu + 0.25 * other)
    torch.testing.assert_close(latents["latents_of_any_example"], mu[exchange.sources])
    assert not latents["zero"].any()
    torch.testing.assert_close(latents["dataset_mean"][5], mu.mean(0))
    for token in range(3):
        torch.testing.assert_close(latents["first_token_repeated"][:, token], mu[:, 0])
        torch.testing.assert_close(latents[f"without_token_{token}"], mu)


def test_random_latents_match_what_they_are_named_for(made):
    mu, _, _, latents = made
    torch.testing.assert_close(latents["random_of_same_length"].norm(dim=2), mu.norm(dim=2))
    matched = latents["matched_random"]
    assert abs(float(matched.mean()) - 3.0) < 0.2
    assert 0.8 < float(matched.std(0).mean() / mu.std(0).mean()) < 1.2
    assert float(torch.cosine_similarity(matched - 3, mu - 3, dim=2).abs().mean()) < 0.5


def test_no_row_keeps_its_own_latents_when_they_are_exchanged(made):
    mu, _, exchange, latents = made
    assert not (latents["latents_of_any_example"] == mu).all(2).all(1).any()
    assert exchange.has_source.all()


def test_without_a_variance_nothing_is_sampled():
    mu = torch.randn(8, 1, 4)
    exchange = find_exchange([None] * 8, np.arange(8), 1)
    names = dict(
        replaced_latents(Posterior(mu, None), mu, exchange, temperature=0.5, seed=0, is_short=False)
    )
    assert not any(name.startswith(("noise", "prior", "posterior", "without")) for name in names)
    assert {"zero", "matched_random", "first_token_repeated"} <= names.keys()
