"""A closed list of answers as a trie of their tokens: what may follow each beginning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_NOWHERE = -1


class AnswerTrie:
    """Answers that a decoder is held to.

    A place in the trie is a beginning that some answer has; place 0 is the empty
    one, and -1 stands for beginnings that no answer has.

    Args:
        answers: token ids of each, end token included; at least one.

    Raises:
        ValueError: if there is no answer, or one without a token.
    """

    def __init__(self, answers: Sequence[Sequence[int]]) -> None:
        if not answers or not all(answers):
            raise ValueError("at least one answer is needed, and each needs a token")
        self._next: list[dict[int, int]] = [{}]
        for answer in answers:
            place = 0
            for token in answer:
                if token not in self._next[place]:
                    self._next[place][token] = len(self._next)
                    self._next.append({})
                place = self._next[place][token]

    def __len__(self) -> int:
        """Places, the empty beginning included."""
        return len(self._next)

    def forbidden(self, places: Tensor, tokens: int) -> Tensor:
        """Which tokens lead to no answer.

        Args:
            places: of the beginnings so far, shape ``(N,)``.
            tokens: size V of the vocabulary.

        Returns:
            Shape ``(N, V)``, boolean.
        """
        forbidden = torch.ones(len(places), tokens, dtype=torch.bool, device=places.device)
        distinct, which = torch.unique(places, return_inverse=True)
        for number, place in enumerate(distinct.tolist()):
            if place != _NOWHERE and self._next[place]:
                follow = torch.tensor(list(self._next[place]), device=places.device)
                rows = (which == number).nonzero()
                forbidden[rows, follow] = False
        return forbidden

    def after(self, places: Tensor, tokens: Tensor) -> Tensor:
        """The places that tokens lead to.

        Args:
            places: any shape.
            tokens: the token that each beginning goes on with, of the same shape.
        """
        pairs = zip(places.flatten().tolist(), tokens.flatten().tolist(), strict=True)
        found = [
            _NOWHERE if place == _NOWHERE else self._next[place].get(token, _NOWHERE)
            for place, token in pairs
        ]
        return torch.tensor(found, device=places.device).view(places.shape)
