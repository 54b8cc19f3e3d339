"""Multi-head attention and the feed-forward block that every module here shares."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention from one sequence to another (Vaswani et al. 2017).

    Args:
        width: size D of the queries and of the output.
        heads: number of heads; must divide ``width``.
        dropout: probability of dropping an attention weight in training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not divisible by heads {heads}")
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        # torch's own start leaves attention all but uniform, and words and patches unmatched
        for weight in (self.query.weight, *self.key_value.weight.chunk(2), self.output.weight):
            nn.init.xavier_uniform_(weight)
        for linear in (self.query, self.key_value, self.output):
            nn.init.zeros_(linear.bias)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        *,
        mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Attend from ``x`` (N, S, D) to ``context`` (N, C, D).

        Args:
            x: queries.
            context: what is attended to.
            mask: true where a context position may be seen, shape ``(N, C)``.
            is_causal: position i sees context positions up to i only.

        Returns:
            Tensor of shape ``(N, S, D)``.
        """
        key, value = self.project(context)
        return self.attend(x, key, value, mask=mask, is_causal=is_causal)

    def project(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of ``context``, each ``(N, heads, C, D / heads)``."""
        key, value = self.key_value(context).chunk(2, dim=-1)
        return self._split(key), self._split(value)

    def attend(
        self,
        x: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Attend with keys and values that :meth:`project` has made."""
        query = self._split(self.query(x))
        weights_mask = None if mask is None else mask[:, None, None, :]  # (N, 1, 1, C)
        is_on_cpu = x.device.type == "cpu"
        if is_on_cpu:  # the fused CPU kernel is four to seven times slower in bf16 than in fp32
            query, key, value = query.float(), key.float(), value.float()
        with torch.autocast("cpu", enabled=False) if is_on_cpu else nullcontext():
            attended = F.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=weights_mask,
                dropout_p=self.dropout if self.training else 0.0,
                is_causal=is_causal,
            )
        return self._output(attended)

    def look(
        self,
        x: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        bias: Tensor | None = None,
        sharpness: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`attend`, with the weights of each head, ``(N, heads, S, C)``.

        Args:
            x: queries, shape ``(N, S, D)``.
            key: as :meth:`project` has made them.
            value: likewise.
            bias: added to the scores before the softmax, shape ``(heads, S, C)``.
            sharpness: factor of the scores without the bias.
        """
        query = self._split(self.query(x))
        scores = (query @ key.transpose(-1, -2)).float() * (sharpness / query.shape[-1] ** 0.5)
        weights = (scores if bias is None else scores + bias).softmax(-1)  # (N, heads, S, C)
        kept = F.dropout(weights, self.dropout, self.training)
        return self._output(kept.to(value.dtype) @ value), weights

    def weights(self, x: Tensor, context: Tensor) -> Tensor:
        """Attention weights averaged over the heads, shape ``(N, S, C)``."""
        query = self._split(self.query(x))
        key, _ = self.project(context)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weights: Tensor = scores.float().softmax(-1).mean(1)  # (N, S, C)
        return weights

    def _output(self, attended: Tensor) -> Tensor:
        joined: Tensor = self.output(attended.transpose(1, 2).flatten(2))  # (N, S, D)
        return joined

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)  # (N, heads, S, D / heads)


class FeedForward(nn.Sequential):
    """Two linear layers with a GELU between them.

    Args:
        width: size D of input and output.
        expansion: hidden size over ``width``.
        dropout: probability of dropping a hidden unit in training.
    """

    def __init__(self, width: int, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__(
            nn.Linear(width, expansion * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(expansion * width, width),
        )


@torch.no_grad()
def quieten_(*branches: Attention | FeedForward, scale: float = 0.1) -> None:
    """Shrink what residual branches add before training.

    A stack then starts close to the identity, so that words and patches reach
    the end of it recognisable (compare Zhang et al. 2019, arXiv:1901.09321).

    Args:
        branches: blocks whose output is added to their input.
        scale: factor of the last linear layer's weight; its bias is zeroed.
    """
    for branch in branches:
        last = branch.output if isinstance(branch, Attention) else branch[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(scale)
        last.bias.zero_()
