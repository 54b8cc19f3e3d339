"""How much the latent says of its input: I(x; z), estimated from the data alone.

Hoffman and Johnson 2016 ("ELBO surgery"): I(x; z) = E_x KL(q(z|x) || p(z)) -
KL(q(z) || p(z)) = E log q(z|x) - E log q(z). The aggregate q(z) is the mixture
of the posteriors of the same n examples, each its own among them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentvqa.core.results.latent_use import MutualInformation

# an estimate this close to its ceiling, in nats, says only that there is at least as much
CEILING_MARGIN = 1.0
ESTIMATOR = "Hoffman and Johnson 2016, aggregate posterior of the same n examples"
BIAS = "low in expectation, since each example is in its own mixture; at most log n"


def mutual_information(
    mu: Tensor, logvar: Tensor, temperature: float, seed: int = 0
) -> MutualInformation:
    """Estimate I(x; z) for z = mu + temperature x std x noise, one draw each.

    Args:
        mu: posterior means, shape ``(n, ...)``.
        logvar: logarithms of the posterior variances at temperature 1, same shape.
        temperature: above 0; the variance in use is temperature^2 exp(logvar).
        seed: of the noise.

    Raises:
        ValueError: for no examples or a temperature of 0, where z holds
            everything.
    """
    if temperature <= 0.0 or not len(mu):
        raise ValueError(f"temperature {temperature} and {len(mu)} examples must be above 0")
    mean = mu.double().flatten(1)  # (n, U)
    log_variance = logvar.double().flatten(1) + 2.0 * math.log(temperature)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(mean.shape, generator=generator, dtype=torch.float64)
    z = mean + (0.5 * log_variance).exp() * noise
    precision = (-log_variance).exp()
    squares = z.square() @ precision.T - 2.0 * z @ (mean * precision).T
    squares = squares + (mean.square() * precision).sum(1)  # (n of z, n of posteriors)
    log_density = -0.5 * (squares + log_variance.sum(1))  # without the constant, which cancels
    # the distance to the own mean is known exactly; large sums would round it away
    own = -0.5 * (noise.square().sum(1) + log_variance.sum(1))
    log_density.diagonal().copy_(own)
    aggregate = log_density.logsumexp(1) - math.log(len(mean))
    found, ceiling = float((own - aggregate).mean()), math.log(len(mean))
    return MutualInformation(
        value=found,
        log_n=ceiling,
        n=len(mean),
        temperature=temperature,
        is_at_ceiling=found > ceiling - CEILING_MARGIN,
        estimator=ESTIMATOR,
        bias=BIAS,
    )
