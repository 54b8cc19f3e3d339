"""The variational bottleneck: K Gaussian latent tokens that the decoder must read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from latentvqa.models.attention import Attention, FeedForward

# exp(logvar) and its inverse stay finite in fp32, and so do their gradients
_LOGVAR_RANGE = (-12.0, 6.0)


class _Bounded(torch.autograd.Function):
    """A clamp whose gradient leads back from beyond a bound; away from it there is none.

    That of a plain clamp is zero beyond: what got there would stay for ever.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(*_LOGVAR_RANGE)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        low, high = _LOGVAR_RANGE
        # descent moves against the gradient
        is_outward = ((x > high) & (gradient < 0)) | ((x < low) & (gradient > 0))
        return gradient.masked_fill(is_outward, 0.0)


def _bounded(x: Tensor) -> Tensor:
    bounded: Tensor = _Bounded.apply(x)
    return bounded


@dataclass(frozen=True)
class Posterior:
    """q(z given image, question): one diagonal Gaussian per latent token.

    Attributes:
        mu: means, shape ``(Q, K, Z)``, fp32.
        logvar: logarithms of the variances, same shape; None where only the
            mean exists.
    """

    mu: Tensor
    logvar: Tensor | None

    def sample(self, temperature: float, noise: Tensor | None = None) -> Tensor:
        """Draw z = mu + temperature x std x noise.

        Args:
            temperature: scale of the standard deviation; 0 gives the mean, as does
                any temperature without a variance.
            noise: standard normal values of the shape of ``mu``; drawn from the
                default generator if absent.

        Returns:
            Latents of shape ``(Q, K, Z)``.
        """
        if temperature == 0.0 or self.logvar is None:
            return self.mu
        if noise is None:
            noise = torch.randn_like(self.mu)
        return self.mu + temperature * (0.5 * self.logvar).exp() * noise


class LatentBottleneck(nn.Module):
    """K learned queries read the fused tokens; each becomes a Gaussian.

    Args:
        width: size D of fused tokens and memory tokens.
        tokens: number K of latent tokens.
        dims: dimensions Z of each latent token.
        heads: attention heads.
        kind: ``"gaussian"``, or ``"deterministic"`` where only the mean exists.
        initial_logvar: bias of ``logvar`` before training.
        dropout: dropout probability in training.
    """

    def __init__(
        self,
        *,
        width: int,
        tokens: int,
        dims: int,
        heads: int,
        kind: Literal["gaussian", "deterministic"] = "gaussian",
        initial_logvar: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.tokens = tokens
        self.dims = dims
        self.queries = nn.Parameter(torch.randn(1, tokens, width) * 0.5)
        self.attention = Attention(width, heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout=dropout)
        self.head_norm = nn.LayerNorm(width)
        self.mu = nn.Linear(width, dims)
        if kind == "gaussian":
            self.logvar = nn.Linear(width, dims)
            nn.init.normal_(self.logvar.weight, std=1e-3)
            nn.init.constant_(self.logvar.bias, initial_logvar)
        self.expand = nn.Linear(dims, width)
        self.memory_norm = nn.LayerNorm(width)
        self.token_embedding = nn.Parameter(torch.randn(tokens, width) * 0.1)

    def posterior(self, fused: Tensor) -> Posterior:
        """Infer the posterior from fused tokens ``(Q, N, D)``, in fp32."""
        queries = self.queries.expand(fused.shape[0], -1, -1)
        x = queries + self.attention(queries, fused)  # (Q, K, D)
        x = x + self.feed_forward(self.attention_norm(x))
        with torch.autocast(fused.device.type, enabled=False):
            x = self.head_norm(x.float())
            mu = self.mu(x)  # (Q, K, Z)
            is_gaussian = self.kind == "gaussian"
            logvar = _bounded(self.logvar(x)) if is_gaussian else None
        return Posterior(mu=mu, logvar=logvar)

    def attention_over(self, fused: Tensor) -> Tensor:
        """Attention of each latent token over the fused tokens, ``(Q, K, N)``."""
        return self.attention.weights(self.queries.expand(fused.shape[0], -1, -1), fused)

    def memory(self, latents: Tensor) -> Tensor:
        """Expand latents ``(Q, K, Z)`` to memory tokens ``(Q, K, D)``.

        The token's identity is added afterwards, so that a zeroed memory token
        carries nothing but its place.
        """
        expanded: Tensor = self.memory_norm(self.expand(latents))
        return expanded

    def identify(self, memory: Tensor) -> Tensor:
        """Add each memory token's identity; shape ``(Q, K, D)`` is kept."""
        return memory + self.token_embedding


def token_dropout(memory: Tensor, probability: float) -> Tensor:
    """Zero whole memory tokens and rescale the others, per example.

    At least one token of every example survives; survivors are scaled by K
    over their number.

    Args:
        memory: memory tokens, shape ``(Q, K, D)``.
        probability: chance of each token to be zeroed, in [0, 1).

    Returns:
        Tensor of the same shape.
    """
    if probability == 0.0:
        return memory
    draws = torch.rand(memory.shape[:2], device=memory.device)  # (Q, K)
    is_kept = (draws >= probability) | (draws == draws.amax(dim=1, keepdim=True))
    scale = memory.shape[1] / is_kept.sum(dim=1, keepdim=True)  # (Q, 1)
    return memory * (is_kept * scale)[..., None].to(memory.dtype)


def zero_token(memory: Tensor, token: int) -> Tensor:
    """Zero one memory token of ``(Q, K, D)``; the others are scaled by K / (K - 1)."""
    tokens = memory.shape[1]
    scale = torch.full((tokens, 1), tokens / max(1, tokens - 1), device=memory.device)
    scale[token] = 0.0
    return memory * scale.to(memory.dtype)
