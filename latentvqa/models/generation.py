"""Free generation of answers, greedy or sampled, with a key-value cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from latentvqa.models.decoder import AnswerDecoder
from latentvqa.models.language.decoder import PretrainedDecoder


@dataclass(frozen=True)
class Generated:
    """Generated answers.

    Attributes:
        tokens: token ids padded with ``pad_id``, end token included where the
            answer ended within the limit, shape ``(Q, A)``.
        log_probability: of the whole sequence, end token included, ``(Q,)``.
        untempered: the same by the logits as they are, ``(Q,)``.
    """

    tokens: Tensor
    log_probability: Tensor
    untempered: Tensor


@torch.no_grad()
def generate(
    decoder: AnswerDecoder | PretrainedDecoder,
    memory: Tensor,
    *,
    begin_id: int,
    end_id: int,
    pad_id: int = 0,
    is_sampled: bool = False,
    logit_temperature: float = 1.0,
) -> Generated:
    """Generate until every answer has ended or the decoder's limit is reached.

    Args:
        decoder: the decoder; its ``max_tokens`` is the limit.
        memory: memory tokens, shape ``(Q, M, D)``.
        begin_id: token that the decoder starts from.
        end_id: token that ends an answer.
        pad_id: fills the places after the end.
        is_sampled: draw from the distribution instead of taking its mode.
        logit_temperature: divides the logits; above 1 every probability comes
            nearer to the others, and greedy answers stay the same.

    Returns:
        The answers and their log-probabilities.
    """
    count = len(memory)
    token = memory.new_full((count,), begin_id, dtype=torch.long)
    is_ended = torch.zeros(count, dtype=torch.bool, device=memory.device)
    log_probability = torch.zeros(count, device=memory.device)
    untempered = torch.zeros(count, device=memory.device)
    columns: list[Tensor] = []
    cache: Any = decoder.start(memory)
    for position in range(decoder.max_tokens):
        logits = decoder.step(token, position, cache).float()  # (Q, V)
        scores = (logits / logit_temperature).log_softmax(-1)
        # padding and begin are no answers: they are never targets
        scores[:, [pad_id, begin_id]] = -torch.inf
        token = torch.multinomial(scores.exp(), 1)[:, 0] if is_sampled else scores.argmax(-1)
        gained = scores.gather(1, token[:, None])[:, 0]
        log_probability = log_probability + gained.masked_fill(is_ended, 0.0)
        plain = gained
        if logit_temperature != 1.0:
            plain = logits.log_softmax(-1).gather(1, token[:, None])[:, 0]
        untempered = untempered + plain.masked_fill(is_ended, 0.0)
        token = token.masked_fill(is_ended, pad_id)
        columns.append(token)
        is_ended = is_ended | (token == end_id)
        if bool(is_ended.all()):
            break
    return Generated(torch.stack(columns, dim=1), log_probability, untempered)
