"""A question that looks at patches which stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from latentvqa.models.attention import Attention
from latentvqa.models.fusion.fused import Fused, of_each_question

# over a hundred patches plain attention stays all but even for long: scores grow faster by
# the first number, and begin only a little larger
_SHARPNESS, _START = 4.0, 1 / 3
_MOST_EMPTY = 4  # places for each question, beyond which grouping by image is no gain


class ReadingFusion(nn.Module):
    """A state that starts as the question and reads the image in steps.

    The patches stay as they are: their keys and values are made once an image, so that
    many questions and many patches cost little, and relations between patches are the
    task of ``VisionEncoder.layers``. Compare Hudson and Manning 2018, arXiv:1803.03067.

    Args:
        width: size D of patch and question vectors.
        layers: number of reading steps L.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(width) * 0.1)
        self.layers = nn.ModuleList(ReadingStep(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, patches: Tensor, image_index: Tensor | None, question: Tensor, question_mask: Tensor
    ) -> Fused:
        """Read.

        Args:
            patches: patches of the distinct images, shape ``(B, P, D)``.
            image_index: image of each question, shape ``(Q,)``, values below B; None
                where every question has an image of its own.
            question: question token vectors, shape ``(Q, T, D)``.
            question_mask: true on question tokens, shape ``(Q, T)``.

        Returns:
            The states, N = L + 1: the question, and what it is after each step.
        """
        groups = None if image_index is None else _grouped(image_index, len(patches))
        if groups is None:
            patches = of_each_question(patches, image_index)
        words = question * question_mask[..., None]
        mean = words.sum(dim=1) / question_mask.sum(dim=1, keepdim=True)  # (Q, D)
        state = (self.start + mean)[:, None]  # (Q, 1, D)
        states, read = [state], [patches.new_zeros(len(state), 1, patches.shape[1])]
        for layer in self.layers:
            state, weights = layer(state, patches, groups, question, question_mask)
            states.append(state)
            read.append(weights)
        shares = torch.cat(read, dim=1)  # (Q, L + 1, P)
        of_question = 1 - shares.sum(dim=-1, keepdim=True)
        tokens = self.norm(torch.cat(states, dim=1))
        return Fused(tokens, torch.cat([shares, of_question], dim=-1))

    def gates(self) -> Tensor:
        """There are none: shape ``(0,)``."""
        return torch.zeros(0)


class ReadingStep(nn.Module):
    """The state reads the words, then with them the patches, and takes up what it found.

    Args:
        width: size D of patch and question vectors.
        heads: attention heads.
        dropout: dropout probability in training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.words_norm = nn.LayerNorm(width)
        self.words = Attention(width, heads, dropout)
        self.read_query_norm = nn.LayerNorm(width)
        self.read_norm = nn.LayerNorm(width)
        self.read = Attention(width, heads, dropout)
        self.update_norm = nn.LayerNorm(3 * width)
        self.update = nn.Sequential(
            nn.Linear(3 * width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        with torch.no_grad():
            self.read.query.weight.mul_(_START)

    def forward(
        self,
        state: Tensor,
        patches: Tensor,
        groups: Groups | None,
        question: Tensor,
        question_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Map the state ``(Q, 1, D)`` to the next and to its shares of patches, ``(Q, 1, P)``.

        Args:
            state: of each question.
            patches: shape ``(B, P, D)``, or ``(Q, P, D)`` without groups.
            groups: the questions of each image.
            question: question token vectors, shape ``(Q, T, D)``.
            question_mask: true on question tokens, shape ``(Q, T)``.
        """
        state = state + self.words(self.words_norm(state), question, mask=question_mask)
        query = self.read_query_norm(state)
        key, value = self.read.project(self.read_norm(patches))
        asking = query if groups is None else groups.spread(query)
        found, weights = self.read.look(asking, key, value, sharpness=_SHARPNESS)
        weights = weights.mean(dim=1)  # over the heads
        if groups is not None:
            found, weights = groups.collect(found), groups.collect(weights)
        joined = torch.cat([state, found, query * found], dim=-1)  # (Q, 1, 3 D)
        return state + self.update(self.update_norm(joined)), weights


@dataclass(frozen=True, eq=False)
class Groups:
    """The questions of each image side by side, so that its patches need no copy for each.

    Attributes:
        slots: place of each question among all places, shape ``(Q,)``.
        images: number B of images.
        most: places of each image.
    """

    slots: Tensor
    images: int
    most: int

    def spread(self, x: Tensor) -> Tensor:
        """From ``(Q, 1, D)`` to ``(B, most, D)``, zero where there is no question."""
        places = x.new_zeros(self.images * self.most, x.shape[-1])
        return places.index_copy(0, self.slots, x[:, 0]).view(self.images, self.most, -1)

    def collect(self, x: Tensor) -> Tensor:
        """From ``(B, most, D)`` to ``(Q, 1, D)``."""
        return x.flatten(0, 1).index_select(0, self.slots)[:, None]


def _grouped(image_index: Tensor, images: int) -> Groups | None:
    """Group questions by image; None where that would leave most places empty."""
    counts = torch.bincount(image_index, minlength=images)
    most = int(counts.max())
    if images * most > _MOST_EMPTY * len(image_index):
        return None
    order = image_index.argsort(stable=True)
    first = counts.cumsum(0) - counts  # (B,)
    sorted_index = image_index[order]
    rank = torch.arange(len(order), device=order.device) - first[sorted_index]
    slots = torch.empty_like(image_index).index_copy(0, order, sorted_index * most + rank)
    return Groups(slots, images, most)
