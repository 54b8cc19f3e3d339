"""Answers as texts with their probabilities, from one latent or from several samples.

With several samples every answer that one of them gave is scored under all: the
probability of an answer is its mean over the samples, also those that gave another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentvqa.data.tokenizer import BOS, EOS, PAD, TextTokenizer
from latentvqa.engine.encoding import generate_answers
from latentvqa.models import AnswerTrie, VQAModel, search_beams

Floats = NDArray[np.float64]
_BEAMS = 10  # at least, for the likeliest answers may begin unlikely


@dataclass(frozen=True, eq=False)
class GivenAnswers:
    """The answers to some questions.

    Attributes:
        answers: text of each.
        probabilities: of the whole answer, end token included, ``(Q,)``.
        log_probabilities: the same by the logits as they are, ``(Q,)``.
    """

    answers: list[str]
    probabilities: Floats
    log_probabilities: Floats


class AnswerTexts:
    """Decodes token sequences to texts, each distinct one once.

    Args:
        tokenizer: of the answers.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._known: dict[tuple[int, ...], str] = {}

    def __call__(self, tokens: Tensor) -> list[str]:
        """Texts of token ids ``(Q, A)``."""
        texts = []
        for ids in map(tuple, tokens.tolist()):
            if ids not in self._known:
                self._known[ids] = self._tokenizer.decode(list(ids))
            texts.append(self._known[ids])
        return texts


@torch.no_grad()
def likeliest_answers(
    model: VQAModel,
    memory: Tensor,
    texts: AnswerTexts,
    *,
    most: int,
    logit_temperature: float,
    allowed: AnswerTrie | None = None,
) -> list[list[tuple[str, float]]]:
    """Different answers to each question with their probabilities, the likeliest first.

    Args:
        model: in eval mode, under the autocast that it shall run in.
        memory: memory tokens, shape ``(Q, M, D)``.
        texts: decodes the answers.
        most: answers of each question; there may be fewer.
        logit_temperature: what logits are divided by for a probability.
        allowed: answers that are searched among; None for all that can be written.
    """
    found = search_beams(
        model.decoder,
        memory,
        beams=max(_BEAMS, 2 * most),
        begin_id=BOS,
        end_id=EOS,
        pad_id=PAD,
        logit_temperature=logit_temperature,
        allowed=allowed,
    )
    log_shares = found.log_probability.double().cpu()
    ranked = []
    for tokens, row in zip(found.tokens, log_shares.tolist(), strict=True):
        total: dict[str, float] = {}
        for text, log_share in zip(texts(tokens), row, strict=True):
            if log_share > -math.inf:
                total[text] = total.get(text, 0.0) + math.exp(log_share)
        ranked.append(sorted(total.items(), key=lambda item: -item[1])[:most])
    return ranked


@torch.no_grad()
def most_probable_answers(
    model: VQAModel, memories: Sequence[Tensor], texts: AnswerTexts, *, logit_temperature: float
) -> GivenAnswers:
    """Answer from the memory tokens of one or several latent samples.

    Of the answers that the samples give, the one with the largest mean probability
    over all samples wins. The temperature changes its probability, never which one
    wins.

    Args:
        model: in eval mode, under the autocast that it shall run in.
        memories: of each sample, shape ``(Q, M, D)`` each.
        texts: decodes the answers.
        logit_temperature: what logits are divided by for a probability.
    """
    given = [generate_answers(model, one, logit_temperature=logit_temperature) for one in memories]
    if len(given) == 1:
        log_probabilities = given[0].untempered.double().cpu().numpy()
        probabilities = given[0].log_probability.exp().double().cpu().numpy()
        return GivenAnswers(texts(given[0].tokens), probabilities, log_probabilities)
    questions, tokens = _candidates([one.tokens for one in given])
    shares = torch.zeros(2, len(tokens), dtype=torch.float64, device=tokens.device)
    step = len(memories[0])
    for memory in memories:
        for start in range(0, len(tokens), step):
            part = slice(start, start + step)
            logits = model.answer_logits(memory[questions[part]], tokens[part], BOS).float()
            for place, temperature in enumerate((1.0, logit_temperature)):
                likely = sequence_log_probabilities(logits / temperature, tokens[part])
                shares[place, part] += likely.double().exp() / len(memories)
    plain, tempered = shares.cpu().numpy()
    return _winners(questions.tolist(), texts(tokens), plain, tempered)


def sequence_log_probabilities(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability of whole answers, end token included.

    Args:
        logits: of each token, shape ``(N, A, V)``.
        tokens: the answers, padded, ``(N, A)``.

    Returns:
        Nats, at most 0, shape ``(N,)``.
    """
    gained = logits.log_softmax(-1).gather(2, tokens[..., None])[..., 0]
    return gained.masked_fill(tokens == PAD, 0.0).sum(1)


def _candidates(given: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Question of each distinct answer, ``(N,)``, and its tokens, ``(N, A)``, by question."""
    longest = max(tokens.shape[1] for tokens in given)
    padded = [
        torch.nn.functional.pad(tokens, (0, longest - tokens.shape[1]), value=PAD)
        for tokens in given
    ]
    stacked = torch.stack(padded, dim=1)  # (Q, samples, A)
    distinct = [(place, row) for place, rows in enumerate(stacked) for row in rows.unique(dim=0)]
    places = torch.tensor([place for place, _ in distinct], device=stacked.device)
    return places, torch.stack([row for _, row in distinct])


def _winners(
    questions: Sequence[int], texts: Sequence[str], plain: Floats, tempered: Floats
) -> GivenAnswers:
    """The most probable text of each question; token sequences of one text add up."""
    totals: list[dict[str, Floats]] = [{} for _ in range(questions[-1] + 1)]
    for question, text, share in zip(
        questions, texts, zip(plain, tempered, strict=True), strict=True
    ):
        total = totals[question]
        total[text] = total.get(text, np.zeros(2)) + np.array(share)
    best = [max(total.items(), key=lambda item: float(item[1][0])) for total in totals]
    shares = np.array([share for _, share in best])
    tiny = np.finfo(np.float64).tiny
    log_probabilities = np.log(np.maximum(shares[:, 0], tiny))
    return GivenAnswers([text for text, _ in best], shares[:, 1], log_probabilities)
