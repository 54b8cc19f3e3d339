"""What a Gaussian latent can carry, in nats: one number, capped by what rows can show."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MOST_UNITS = 4_096  # of K x Z; a larger covariance would take more than 128 MiB


class LatentCovariance:
    """Sums of a pass from which the capacity is reckoned.

    The marginal of z = mu + t std eps has the covariance Cov(mu) + t^2 E[diag
    sigma^2]; no distribution of that covariance has more entropy than the
    Gaussian one (Cover and Thomas 2006, theorem 8.6.5). Less the entropy of the
    noise this bounds the information, and n different rows cannot show more
    than log n. Bounds of single dimensions, added up, count what several
    dimensions say together as often as they say it.

    Args:
        units: K x Z.
        device: where the sums are kept.
    """

    def __init__(self, units: int, device: torch.device) -> None:
        self._dtype = torch.float32 if device.type == "mps" else torch.float64
        self._products = torch.zeros(units, units, dtype=self._dtype, device=device)
        self._mu, self._variance = (
            torch.zeros(units, dtype=self._dtype, device=device) for _ in range(2)
        )
        self._logvar = torch.zeros((), dtype=self._dtype, device=device)
        self._rows = 0

    def add(self, mu: Tensor, logvar: Tensor) -> None:
        """Add posteriors of shape ``(Q, K, Z)``."""
        flat, wide = (part.detach().flatten(1).to(self._dtype) for part in (mu, logvar))
        self._products += flat.T @ flat
        self._mu += flat.sum(0)
        self._variance += wide.exp().sum(0)
        self._logvar += wide.sum()
        self._rows += len(flat)

    def capacity(self, temperature: float) -> float | None:
        """Most nats that the rows' latents can tell at a temperature; None at 0."""
        if temperature <= 0.0 or self._rows < 2:
            return None
        mean = self._mu / self._rows
        spread = self._products / self._rows - torch.outer(mean, mean)
        spread.diagonal().add_(temperature**2 * self._variance / self._rows)
        sign, whole = torch.linalg.slogdet(spread)
        if not bool(torch.isfinite(whole)) or float(sign) <= 0.0:
            return None  # not a covariance: a posterior that is not finite
        noise = 2.0 * len(mean) * math.log(temperature) + float(self._logvar) / self._rows
        bound = 0.5 * (float(whole) - noise)
        return min(max(bound, 0.0), math.log(self._rows))
