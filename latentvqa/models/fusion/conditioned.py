"""Image patches conditioned on the question, additively and multiplicatively.

Attention alone adds question features to patch features; a model so built
learns which words predict which answers and stays there. Feature-wise scaling
lets the question select what a patch says.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from latentvqa.models.attention import Attention, FeedForward, quieten_
from latentvqa.models.fusion.fused import Fused, of_each_question
from latentvqa.models.question import EncoderLayer


class QuestionConditionedFusion(nn.Module):
    """Layers in which patches are conditioned on the question.

    Args:
        width: size D of patch and question vectors.
        layers: number of fusion layers.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.summary_query = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.summary = Attention(width, heads)
        self.layers = nn.ModuleList(FusionLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, patches: Tensor, image_index: Tensor | None, question: Tensor, question_mask: Tensor
    ) -> Fused:
        """Fuse.

        Args:
            patches: patches of the distinct images, shape ``(B, P, D)``.
            image_index: image of each question, shape ``(Q,)``, values below B; None
                where every question has an image of its own.
            question: question token vectors, shape ``(Q, T, D)``.
            question_mask: true on question tokens, shape ``(Q, T)``.
        """
        patches = of_each_question(patches, image_index)  # (Q, P, D)
        query = self.summary_query.expand(question.shape[0], -1, -1)
        summary = self.summary(query, question, mask=question_mask)  # (Q, 1, D)
        for layer in self.layers:
            patches, summary = layer(patches, summary, question, question_mask)
        return Fused(self.norm(torch.cat([patches, summary], dim=1)))  # (Q, P + 1, D)

    def gates(self) -> Tensor:
        """Tanh of every layer's cross-attention gate, shape ``(layers,)``."""
        layers = cast("list[FusionLayer]", list(self.layers))
        return torch.stack([layer.gate.tanh() for layer in layers])


class JointFusion(nn.Module):
    """Patches, words and a summary in one sequence, all attending to all.

    Args:
        width: size D of patch and question vectors.
        layers: number of transformer layers.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.summary_query = nn.Parameter(torch.randn(1, 1, width) * 0.1)
        self.kinds = nn.Embedding(2, width)  # patch, word
        nn.init.normal_(self.kinds.weight, std=0.1)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, patches: Tensor, image_index: Tensor | None, question: Tensor, question_mask: Tensor
    ) -> Fused:
        """Fuse, as :meth:`QuestionConditionedFusion.forward` does."""
        patches = of_each_question(patches, image_index)  # (Q, P, D)
        patch_kind, word_kind = self.kinds.weight
        summary = self.summary_query.expand(question.shape[0], -1, -1)
        x = torch.cat([patches + patch_kind, summary, question + word_kind], dim=1)
        seen = patches.shape[1] + 1
        mask = torch.cat([question_mask.new_ones(x.shape[0], seen), question_mask], dim=1)
        for layer in self.layers:
            x = layer(x, mask)
        return Fused(self.norm(x[:, :seen]))  # (Q, P + 1, D)

    def gates(self) -> Tensor:
        """There are none: shape ``(0,)``."""
        return torch.zeros(0)


class FusionLayer(nn.Module):
    """One reasoning step: words to patches, patches to summary, summary to patches.

    The patches query the question tokens behind a tanh gate (Alayrac et al.
    2022, arXiv:2204.14198). The summary then reads the patches and, with what it
    found, scales and shifts them (FiLM, Perez et al. 2018, arXiv:1709.07871)
    before a transformer layer over the patches; reading before scaling lets a
    later layer relate every patch to the object that an earlier one found.

    Args:
        width: size D of patch and question vectors.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.tensor(0.1))
        self.words_norm = nn.LayerNorm(width)
        self.words = Attention(width, heads, dropout)

        self.read_norm = nn.LayerNorm(width)
        self.read_query_norm = nn.LayerNorm(width)
        self.read = Attention(width, heads, dropout)
        self.update_norm = nn.LayerNorm(3 * width)
        self.update = nn.Sequential(
            nn.Linear(3 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

        self.film_norm = nn.LayerNorm(width)
        self.film = nn.Linear(width, 4 * width)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, expansion=2, dropout=dropout)
        quieten_(self.attention, self.feed_forward)

    def forward(
        self, patches: Tensor, summary: Tensor, question: Tensor, question_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Map patches ``(Q, P, D)`` and summary ``(Q, 1, D)`` to the same shapes."""
        words = self.words(self.words_norm(patches), question, mask=question_mask)
        patches = patches + self.gate.tanh() * words

        query = self.read_query_norm(summary)
        found = self.read(query, self.read_norm(patches))  # (Q, 1, D)
        joined = torch.cat([summary, found, query * found], dim=-1)  # (Q, 1, 3 D)
        summary = summary + self.update(self.update_norm(joined))

        scale1, shift1, scale2, shift2 = self.film(self.film_norm(summary)).chunk(4, dim=-1)
        x = self.attention_norm(patches) * (1 + scale1) + shift1
        patches = patches + self.attention(x, x)
        x = self.feed_forward_norm(patches) * (1 + scale2) + shift2
        return patches + self.feed_forward(x), summary
