"""The terms of the loss, apart from the models.

All of them reckon in fp32 or better whatever the autocast; none of them weighs itself.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

# the logit of what is no answer token
_IMPOSSIBLE = -1e4


def answer_nll(logits: Tensor, targets: Tensor, pad_id: int = 0) -> Tensor:
    """Negative log-likelihood of each answer, summed over its tokens.

    Args:
        logits: shape ``(Q, A, V)``.
        targets: token ids with their end token, padded, shape ``(Q, A)``.
        pad_id: the id that does not count.

    Returns:
        Nats per answer, shape ``(Q,)``.
    """
    losses = F.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=pad_id, reduction="none"
    )
    return losses.view_as(targets).sum(dim=1)


def answer_loss(nll: Tensor, targets: Tensor, pad_id: int = 0) -> Tensor:
    """Nats per answer token: ``nll`` (Q,) summed over the number of tokens."""
    return nll.sum() / (targets != pad_id).sum().clamp(min=1)


def spread_nll(logits: Tensor, targets: Tensor, pad_id: int = 0) -> Tensor:
    """What an answer costs whose tokens might be any with the same probability.

    The part of label smoothing (Szegedy et al. 2016, arXiv:1512.00567) beside
    :func:`answer_nll`.

    Args:
        logits: of each token, shape ``(Q, A, V)``; a token at -1e4 or below is none.
        targets: padded token ids, shape ``(Q, A)``.
        pad_id: id of padding.

    Returns:
        Nats of each answer, shape ``(Q,)``.
    """
    likely = logits.float().log_softmax(-1)
    is_possible = logits > _IMPOSSIBLE
    mean = (likely * is_possible).sum(-1) / is_possible.sum(-1).clamp(min=1)  # (Q, A)
    return -mean.masked_fill(targets == pad_id, 0.0).sum(dim=1)


def kl_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL of each dimension's Gaussian to the standard normal, in nats.

    Kingma and Welling 2014 (arXiv:1312.6114), appendix B. Shapes are kept, and
    so is fp64, in which measures are taken.
    """
    dtype = torch.promote_types(mu.dtype, torch.float32)
    mu, logvar = mu.to(dtype), logvar.to(dtype)
    return 0.5 * (mu.square() + logvar.exp() - 1.0 - logvar)


def kl_per_token(kl_dim: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """Reduce ``kl_dim`` (Q, K, Z) over the dimensions: shape ``(Q, K)``."""
    return kl_dim.mean(dim=-1) if reduction == "mean" else kl_dim.sum(dim=-1)


def free_bits_penalty(kl_token: Tensor, free_bits: float) -> Tensor:
    """Hinge the KL so that its first ``free_bits`` nats go unpenalised.

    After Kingma et al. 2016 (arXiv:1606.04934), per example and token, not on
    the batch mean as in the paper's code.

    Args:
        kl_token: KL of each latent token in nats, shape ``(Q, K)``.
        free_bits: allowance per latent token, in the same unit; at least 0.

    Returns:
        Scalar penalty: the mean over Q and K.
    """
    return (kl_token - free_bits).clamp(min=0.0).mean()


def orthogonality(memory: Tensor) -> Tensor:
    """Mean squared cosine between different memory tokens of an example.

    Args:
        memory: memory tokens before dropout, shape ``(Q, K, D)``.

    Returns:
        Scalar in [0, 1]; 0 where there is a single token.
    """
    count = memory.shape[1]
    if count < 2:
        return memory.new_zeros((), dtype=torch.float32)
    unit = F.normalize(memory.float(), dim=-1)
    cosine = unit @ unit.transpose(1, 2)  # (Q, K, K)
    off_diagonal = cosine.square().sum(dim=(1, 2)) - cosine.diagonal(dim1=1, dim2=2).square().sum(1)
    return off_diagonal.mean() / (count * (count - 1))


def preference_loss(best: Tensor, worst: Tensor, margin: float) -> Tensor:
    """Margin by which the better answer should be the likelier one.

    Args:
        best: length-normalised log-probability of the better candidate, ``(N,)``.
        worst: the same of the worse one.
        margin: required difference, in nats per token.

    Returns:
        Hinge of each pair, shape ``(N,)``.
    """
    return (margin - (best - worst)).clamp(min=0.0)
