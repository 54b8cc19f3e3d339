"""Sums and counts of one pass over a split, and what they come to at its end.

Everything is summed in float64 where the device has it, on the device, and read
once; no mean of means is ever taken.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from latentvqa.core.histogram import histogram_edges, trimmed
from latentvqa.core.records import KLConvention, SplitMetrics
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.models.latent import Posterior
from latentvqa.objectives import kl_per_dimension, kl_per_token

# Burda et al. 2016 (arXiv:1509.00519): a unit is active above this variance
ACTIVE_UNIT_VARIANCE = 0.01
ZERO_PENALTY_SHARE = KLHealthThresholds().zero_kl_share


def entropy_of(targets: Iterable[Hashable]) -> float:
    """Entropy of the empirical distribution of targets, in nats."""
    counts = Counter(targets)
    total = sum(counts.values())
    return -sum(count / total * math.log(count / total) for count in counts.values())


class MetricAccumulator:
    """Running sums of one pass.

    Args:
        kl: how the KL is reduced and hinged.
        device: where the sums are kept.
    """

    def __init__(self, kl: KLConvention, device: torch.device) -> None:
        self.kl = kl
        self._dtype = torch.float32 if device.type == "mps" else torch.float64
        self._device = device
        self._edges = torch.tensor(histogram_edges(kl.free_bits), device=device)
        self._sums: dict[str, Tensor] = {}

    def add_answers(
        self,
        nll: Tensor,
        tokens: Tensor,
        is_correct: Tensor,
        is_judged: Tensor | None = None,
    ) -> None:
        """Add a batch's answers.

        Args:
            nll: nats of each answer, shape ``(Q,)``.
            tokens: target tokens of the judged answers, end tokens included; a scalar.
            is_correct: whether each answer equals its target, shape ``(Q,)``.
            is_judged: which answers losses are taken over, shape ``(Q,)``; all
                where it is absent.
        """
        nll = nll.detach()
        self._add("rows", torch.tensor(float(len(nll)), device=self._device))
        if is_judged is not None:
            self._add("judged", is_judged.sum())
            nll = nll[is_judged]
        self._add("nll", nll.to(self._dtype).sum())
        self._add("nll_squared", nll.to(self._dtype).square().sum())
        self._add("tokens", tokens)
        self._add("correct", is_correct.sum())

    def add_posterior(self, posterior: Posterior, effective_weight: float) -> None:
        """Add a batch's posterior, priced at ``effective_weight``."""
        mu = posterior.mu.detach().to(self._dtype)  # (Q, K, Z)
        self._add("mu", mu.sum(0))
        self._add("mu_squared", mu.square().sum(0))
        if posterior.logvar is None:
            return
        logvar = posterior.logvar.detach().to(self._dtype)
        kl_token = kl_per_token(kl_per_dimension(mu, logvar), self.kl.reduction)  # (Q, K)
        hinged = (kl_token - self.kl.free_bits).clamp(min=0.0)
        bins = torch.bucketize(kl_token.float(), self._edges, right=True).flatten()
        empty = torch.zeros(len(self._edges) + 1, dtype=self._dtype, device=self._device)
        flat = kl_token.flatten().to(self._dtype)
        self._add("variance", logvar.exp().sum(0))
        self._add("logvar", logvar.sum())
        self._add("kl_tokens", kl_token.sum(0))
        self._add("kl_after", hinged.sum())
        self._add("weighted_kl", effective_weight * hinged.sum())
        self._add("bin_counts", empty.scatter_add(0, bins, torch.ones_like(flat)))
        self._add("bin_sums", empty.scatter_add(0, bins, flat))

    def add_regularisers(
        self, orthogonality: Tensor | None, teacher: Tensor | None, questions: int
    ) -> None:
        """Add the batch's other terms, before their weights."""
        if orthogonality is not None:
            self._add("orthogonality", orthogonality.detach() * questions)
        if teacher is not None:
            self._add("teacher", teacher.detach() * questions)

    def state(self) -> dict[str, Tensor]:
        """The sums, by name, for a checkpoint."""
        return dict(self._sums)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from the sums of a checkpoint."""
        self._sums = {name: value.to(self._device) for name, value in state.items()}

    def result(
        self,
        *,
        temperature: float,
        answer_entropy: float,
        orthogonality_weight: float,
        exact_match: float | None = None,
        prior_nll: float | None = None,
    ) -> SplitMetrics:
        """Reduce the sums.

        Args:
            temperature: latent temperature of the pass.
            answer_entropy: H(A) of the judged rows, in nats.
            orthogonality_weight: weight of that term in the total.
            exact_match: from free generation; without it the teacher-forced
                share, which equals greedy generation from the same latents.
            prior_nll: nats per answer of the answer prior on the judged rows; the
                gain is over H(A) without it.
        """
        sums = {name: value.cpu().double() for name, value in self._sums.items()}
        rows = sums["rows"].item()
        judged = sums["judged"].item() if "judged" in sums else rows
        nll = sums["nll"].item() / judged
        answer_loss = sums["nll"].item() / max(sums["tokens"].item(), 1.0)
        nll_variance = max(sums["nll_squared"].item() / judged - nll**2, 0.0)
        orthogonality = _ratio(sums.get("orthogonality"), rows)
        latent = self._latent_results(sums, rows, temperature)
        weighted_kl = _ratio(sums.get("weighted_kl"), rows * self.kl.tokens)
        total = answer_loss + (weighted_kl or 0.0) + orthogonality_weight * (orthogonality or 0.0)
        return SplitMetrics(
            rows=int(rows),
            judged_rows=int(judged) if "judged" in sums else None,
            temperature=temperature,
            total_loss=total,
            answer_loss=answer_loss,
            answer_nll=nll,
            answer_nll_error=math.sqrt(nll_variance / judged),
            orthogonality=orthogonality,
            teacher_loss=_ratio(sums.get("teacher"), rows),
            exact_match=sums["correct"].item() / rows if exact_match is None else exact_match,
            kl_share=None if weighted_kl is None or total <= 0 else weighted_kl / total,
            answer_entropy=answer_entropy,
            prior_nll=prior_nll,
            answer_gain=(answer_entropy if prior_nll is None else prior_nll) - nll,
            **latent,
        )

    def _latent_results(
        self, sums: Mapping[str, Tensor], rows: float, temperature: float
    ) -> dict[str, Any]:
        if "mu" not in sums:
            return {}
        mean = sums["mu"] / rows  # (K, Z)
        mu_variance = (sums["mu_squared"] / rows - mean.square()).clamp(min=0.0)
        active: dict[str, Any] = {"active_units": int((mu_variance > ACTIVE_UNIT_VARIANCE).sum())}
        if "variance" not in sums:
            return active
        pairs = rows * self.kl.tokens
        kl_tokens = sums["kl_tokens"] / rows  # (K,)
        kl_raw = float(kl_tokens.mean())
        kl_after = sums["kl_after"].item() / pairs
        scale = self.kl.dims if self.kl.reduction == "mean" else 1
        return {
            **active,
            "kl_raw": kl_raw,
            "kl_after": 0.0 if kl_after < ZERO_PENALTY_SHARE * kl_raw else kl_after,
            "kl_tokens": tuple(kl_tokens.tolist()),
            "kl_histogram": trimmed(
                histogram_edges(self.kl.free_bits),
                sums["bin_counts"].tolist(),
                sums["bin_sums"].tolist(),
            ),
            "rate": kl_raw * self.kl.tokens * scale,
            "information_bound": information_bound(
                mu_variance,
                sums["variance"] / rows,
                sums["logvar"].item() / rows,
                temperature,
            ),
        }

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach().to(self._dtype)
        known = self._sums.get(name)
        self._sums[name] = value.clone() if known is None else known + value


def information_bound(
    mu_variance: Tensor, mean_variance: Tensor, mean_logvar_total: float, temperature: float
) -> float | None:
    """Upper bound on what z = mu + t std eps can tell about the input, in nats.

    The entropy of a Gaussian with the marginal's variance bounds that of z, per
    dimension; subtracting the entropy of the noise leaves the bound.

    Args:
        mu_variance: variance of the posterior means over the data, ``(K, Z)``.
        mean_variance: mean posterior variance over the data, ``(K, Z)``.
        mean_logvar_total: log variance, summed over K and Z, mean over the data.
        temperature: scale of the noise; at 0 there is no bound.
    """
    if temperature <= 0.0:
        return None
    spread = mu_variance + temperature**2 * mean_variance
    log_noise = mu_variance.numel() * 2.0 * math.log(temperature) + mean_logvar_total
    return max(0.0, 0.5 * (float(spread.log().sum()) - log_noise))


def _ratio(total: Tensor | None, count: float) -> float | None:
    return None if total is None else total.item() / count
