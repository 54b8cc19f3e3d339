"""Latents that stand in for a row's own: what only the decoder sees."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from latentvqa.core.results.latent_use import ANY_LATENTS, MATCHED, OTHER_LATENTS, ZERO
from latentvqa.engine.latent_use.exchange import Exchange
from latentvqa.engine.latent_use.interventions import Reading
from latentvqa.models import Posterior

NOISE_TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)
EXCHANGED_SHARES = (0.25, 0.5, 0.75)


def replaced_latents(
    posterior: Posterior,
    other: Tensor,
    any_row: Exchange,
    *,
    temperature: float,
    seed: int,
    is_short: bool,
) -> Iterator[tuple[str, Reading]]:
    """The arms of an examination that exchange latents, by name.

    Beside the posterior's own samples the arms of the Token Replacement Test
    (arXiv 2605.21642), and the latents of the same question about another image,
    whole and in part.

    Args:
        posterior: of the rows, ``mu`` of shape ``(rows, K, Z)``.
        other: means of the same questions about other images, same shape.
        any_row: where the latents of any other row come from.
        temperature: of the sampled posterior.
        seed: of all noise.
        is_short: only what a verdict needs.
    """
    mu, is_gaussian = posterior.mu, posterior.logvar is not None
    nothing, mean = torch.zeros_like(mu[:1]), mu.mean(0, keepdim=True)
    noise = torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed))

    def given(latents: Tensor) -> Reading:
        return Reading(lambda rows: latents[rows])

    if is_gaussian:
        yield "posterior_sample", given(posterior.sample(temperature, noise))
    yield OTHER_LATENTS, given(other)
    yield ANY_LATENTS, given(mu[torch.from_numpy(any_row.sources)])
    yield MATCHED, given(mean + noise * mu.std(0, correction=0, keepdim=True))
    yield ZERO, Reading(lambda rows: nothing.expand(len(rows), -1, -1))
    if is_short:
        return
    yield "dataset_mean", Reading(lambda rows: mean.expand(len(rows), -1, -1))
    yield "first_token_repeated", given(mu[:, :1].expand_as(mu))
    yield "random_of_same_length", given(_of_length(noise, mu))
    for share in EXCHANGED_SHARES:
        yield f"exchanged_{share:g}", given(mu + share * (other - mu))
    if is_gaussian:
        yield "prior_sample", given(noise)
        for level in NOISE_TEMPERATURES:
            yield f"noise_{level:g}", given(posterior.sample(level, noise))
    if mu.shape[1] > 1:
        for token in range(mu.shape[1]):
            yield f"without_token_{token}", Reading(lambda rows: mu[rows], token)


def _of_length(noise: Tensor, mu: Tensor) -> Tensor:
    """Random directions with the length of each latent token, ``(rows, K, Z)``."""
    lengths: Tensor = mu.norm(dim=2, keepdim=True) / noise.norm(dim=2, keepdim=True)
    return noise * lengths
