"""Causal answer decoder over memory tokens, with a key-value cache for generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from latentvqa.models.attention import Attention, FeedForward


@dataclass
class LayerCache:
    """Keys and values of one decoder layer, each ``(Q, heads, length, D / heads)``."""

    memory_key: Tensor
    memory_value: Tensor
    key: Tensor | None = None
    value: Tensor | None = None


class AnswerDecoder(nn.Module):
    """Pre-norm transformer decoder; answers depend on the memory tokens alone.

    Args:
        vocabulary_size: number V of answer token ids.
        width: size D of token vectors and memory tokens.
        layers: number of decoder layers.
        heads: attention heads.
        max_tokens: longest answer in tokens, end token included.
        dropout: dropout probability in training.
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
    ) -> None:
        super().__init__()
        self.max_tokens = max_tokens
        self.tokens = nn.Embedding(vocabulary_size, width)
        self.positions = nn.Embedding(max_tokens, width)
        nn.init.normal_(self.tokens.weight, std=0.5)
        nn.init.normal_(self.positions.weight, std=0.1)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(DecoderLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.vocabulary = nn.Linear(width, vocabulary_size)

    def forward(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Predict every next token at once.

        Args:
            tokens: decoder input, begin token first, shape ``(Q, A)``.
            memory: memory tokens, shape ``(Q, M, D)``.

        Returns:
            Logits of the next token at each position, shape ``(Q, A, V)``.
        """
        x = self._embed(tokens, start=0)
        for layer in self.layers:
            x = layer(x, memory)
        logits: Tensor = self.vocabulary(self.norm(x))  # (Q, A, V)
        return logits

    def start(self, memory: Tensor) -> list[LayerCache]:
        """Make an empty cache for ``memory`` (Q, M, D)."""
        return [LayerCache(*layer.memory.project(memory)) for layer in self._decoder_layers()]

    def step(self, tokens: Tensor, position: int, cache: list[LayerCache]) -> Tensor:
        """Predict the token after ``tokens`` (Q,) at ``position``; extend the cache.

        Returns:
            Logits of shape ``(Q, V)``.
        """
        x = self._embed(tokens[:, None], start=position)  # (Q, 1, D)
        for layer, layer_cache in zip(self._decoder_layers(), cache, strict=True):
            x = layer.step(x, layer_cache)
        logits: Tensor = self.vocabulary(self.norm(x[:, 0]))
        return logits

    def select(self, cache: list[LayerCache], rows: Tensor) -> None:
        """Let a cache go on with these of its rows, in this order; shape ``(R,)``."""
        for layer in cache:
            layer.memory_key, layer.memory_value = layer.memory_key[rows], layer.memory_value[rows]
            if layer.key is not None and layer.value is not None:
                layer.key, layer.value = layer.key[rows], layer.value[rows]

    def _decoder_layers(self) -> list[DecoderLayer]:
        return cast("list[DecoderLayer]", list(self.layers))

    def _embed(self, tokens: Tensor, start: int) -> Tensor:
        positions = self.positions.weight[start : start + tokens.shape[1]]
        embedded: Tensor = self.dropout(self.tokens(tokens) + positions)  # (Q, A, D)
        return embedded


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the memory, feed-forward.

    Args:
        width: size D of token vectors and memory tokens.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.memory_norm = nn.LayerNorm(width)
        self.memory = Attention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout=dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """Map ``(Q, A, D)`` to ``(Q, A, D)`` under a causal mask."""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, is_causal=True)
        x = x + self.memory(self.memory_norm(x), memory)
        feed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + feed

    def step(self, x: Tensor, cache: LayerCache) -> Tensor:
        """Map one position ``(Q, 1, D)``, with the past in ``cache``."""
        normed = self.attention_norm(x)
        key, value = self.attention.project(normed)
        if cache.key is not None and cache.value is not None:
            key = torch.cat([cache.key, key], dim=2)
            value = torch.cat([cache.value, value], dim=2)
        cache.key, cache.value = key, value
        x = x + self.attention.attend(normed, key, value)
        x = x + self.memory.attend(self.memory_norm(x), cache.memory_key, cache.memory_value)
        feed: Tensor = self.feed_forward(self.feed_forward_norm(x))
        return x + feed
