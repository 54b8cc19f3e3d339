"""Free generation of answers, greedy, sampled or by beams, with a key-value cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from latentvqa.models.decoder import AnswerDecoder
from latentvqa.models.generation.answer_trie import AnswerTrie
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


@dataclass(frozen=True)
class Beams:
    """The likeliest answers that were found, the best of each row first.

    Attributes:
        tokens: token ids padded with ``pad_id``, end token included where the
            answer ended within the limit, shape ``(Q, B, A)``.
        log_probability: of each whole sequence, ``(Q, B)``; minus infinity where
            there are fewer answers than beams.
    """

    tokens: Tensor
    log_probability: Tensor


@torch.no_grad()
def search_beams(
    decoder: AnswerDecoder | PretrainedDecoder,
    memory: Tensor,
    *,
    beams: int,
    begin_id: int,
    end_id: int,
    pad_id: int = 0,
    logit_temperature: float = 1.0,
    allowed: AnswerTrie | None = None,
) -> Beams:
    """Search for the likeliest answers, keeping so many beginnings at every token.

    An answer that has ended keeps its place among them as long as it is likelier
    than beginnings that may go on. Scores are not divided by lengths: they are the
    probabilities of the answers.

    Args:
        decoder: the decoder; its ``max_tokens`` is the limit.
        memory: memory tokens, shape ``(Q, M, D)``.
        beams: number B of beginnings that are kept.
        begin_id: token that the decoder starts from.
        end_id: token that ends an answer.
        pad_id: fills the places after the end.
        logit_temperature: divides the logits.
        allowed: answers that are searched among; None for all that can be written.
    """
    count = len(memory)
    device = memory.device
    scores = torch.zeros(count, 1, device=device)  # (Q, kept)
    tokens = torch.zeros(count, 1, 0, dtype=torch.long, device=device)  # (Q, kept, A)
    last = torch.full((count, 1), begin_id, device=device)
    places = torch.zeros(count, 1, dtype=torch.long, device=device)  # (Q, kept), in the list
    cache: Any = decoder.start(memory)
    for position in range(decoder.max_tokens):
        kept = scores.shape[1]
        logits = decoder.step(last.flatten(), position, cache).float()
        gained = (logits / logit_temperature).log_softmax(-1).view(count, kept, -1)
        gained[..., [pad_id, begin_id]] = -torch.inf
        if allowed is not None:
            forbidden = allowed.forbidden(places.flatten(), gained.shape[-1])
            gained = gained.masked_fill(forbidden.view(gained.shape), -torch.inf)
        is_ended = (last == end_id) | (last == pad_id)  # (Q, kept)
        gained = gained.masked_fill(is_ended[..., None], -torch.inf)
        gained[..., pad_id] = torch.where(is_ended, 0.0, -torch.inf)
        whole = (scores[..., None] + gained).flatten(1)  # (Q, kept x V)
        scores, best = whole.topk(min(beams, whole.shape[1]), dim=1)
        origin, last = best // gained.shape[-1], best % gained.shape[-1]
        chosen = tokens.gather(1, origin[..., None].expand(-1, -1, tokens.shape[2]))
        tokens = torch.cat([chosen, last[..., None]], dim=2)
        first = torch.arange(count, device=device)[:, None] * kept
        decoder.select(cache, (first + origin).flatten())
        if allowed is not None:
            places = allowed.after(places.gather(1, origin), last)
        if bool(((last == end_id) | (last == pad_id)).all()):
            break
    return Beams(tokens, scores)
