"""Question tokens to contextual vectors: a transformer encoder trained from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentvqa.models.attention import Attention, FeedForward, quieten_


class QuestionEncoder(nn.Module):
    """Pre-norm transformer encoder over question tokens.

    Args:
        vocabulary_size: number of token ids; id 0 is padding.
        width: size D of the token vectors.
        layers: number of encoder layers.
        heads: attention heads per layer.
        max_tokens: longest question, in tokens.
        dropout: dropout probability in training.
        word_dropout: chance of each word to be hidden in training.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        width: int,
        layers: int,
        heads: int,
        max_tokens: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.tokens = nn.Embedding(vocabulary_size, width, padding_idx=0)
        self.positions = nn.Embedding(max_tokens, width)
        nn.init.normal_(self.tokens.weight, std=0.5)
        nn.init.normal_(self.positions.weight, std=0.1)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Encode questions.

        Args:
            tokens: token ids padded with 0, shape ``(Q, T)``.

        Returns:
            Token vectors ``(Q, T, D)`` and the mask ``(Q, T)``, true on tokens.
        """
        mask = tokens != 0
        # a question without any known length still needs one visible position
        mask = mask | (torch.arange(tokens.shape[1], device=tokens.device) == 0)
        mask = hide_words(mask, self.word_dropout if self.training else 0.0)
        positions = self.positions.weight[: tokens.shape[1]]
        x = self.dropout(self.tokens(tokens) + positions)  # (Q, T, D)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x), mask


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, normalised before each.

    Args:
        width: size D of the token vectors.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout=dropout)
        quieten_(self.attention, self.feed_forward)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map ``(N, S, D)`` to ``(N, S, D)``; ``mask`` is true on visible positions."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask=mask)
        feed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + feed


def hide_words(mask: Tensor, probability: float) -> Tensor:
    """Hide words from all that reads them, each at random; one of every question stays.

    Args:
        mask: true on words, shape ``(Q, T)``.
        probability: chance of each word to be hidden, in [0, 1).

    Returns:
        Tensor of the same shape.
    """
    if probability == 0.0:
        return mask
    draws = torch.rand(mask.shape, device=mask.device).masked_fill(~mask, -1.0)
    is_kept = (draws >= probability) | (draws == draws.amax(dim=1, keepdim=True))
    return mask & is_kept
