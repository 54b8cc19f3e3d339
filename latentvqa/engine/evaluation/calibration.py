"""Temperature scaling of the answers' probabilities (Guo et al. 2017, arXiv:1706.04599).

One number divides all logits of the decoder, so that the probability of a whole
answer is the chance that it is right. It changes how sure the model says it is,
never what it answers nor which of two answers it is surer of.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor

from latentvqa.data.batches import EncodedTable, ImageSource
from latentvqa.data.tokenizer import BOS, PAD, TextTokenizer
from latentvqa.engine.answering import AnswerTexts
from latentvqa.engine.encoding import encoded_batches, generate_answers
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.scoring import ScoringSettings
from latentvqa.models import VQAModel

MOST_ROWS = 5_000
PRIOR_DEVIATION = 0.5  # of the log temperature around 0: 0.37 to 2.7 is likely beforehand
_MOST_VALUES = 50_000_000  # logits that are kept, 200 MB
_LOGIT_TEMPERATURES = (0.05, 20.0)


@torch.no_grad()
def fit_logit_temperature(
    model: VQAModel,
    encoded: EncodedTable,
    store: ImageSource,
    tokenizer: TextTokenizer,
    settings: ScoringSettings,
    is_judged: NDArray[np.bool_] | None = None,
) -> float:
    """Find what to divide the logits by, so that answers are right as often as they say.

    Answers are read from z = mu, as ``evaluate`` and ``predict`` do.

    Args:
        model: in eval mode.
        encoded: held-out rows; the first images' rows up to ``MOST_ROWS`` count.
        store: their images.
        tokenizer: of the answers.
        settings: batch size, device, precision and the language of exact match.
        is_judged: the rows that count, ``(rows,)``; all without it. A target that is
            cut or holds an unknown word is wrong whatever the model has learnt.
    """
    logits: list[Tensor] = []
    tokens: list[Tensor] = []
    lengths: list[Tensor] = []
    is_right: list[NDArray[np.float64]] = []
    texts, values = AnswerTexts(tokenizer), 0
    for one in encoded_batches(
        model, encoded, store, replace(settings, workers=0), most_rows=MOST_ROWS
    ):
        posterior = one.encoded.posterior if settings.is_latent_used else None
        with autocast(settings.device, settings.precision):
            memory = model.memory(one.encoded, None if posterior is None else posterior.mu).tokens
            given = generate_answers(model, memory).tokens
            scores = model.answer_logits(memory, given, BOS).float()
        rows = one.batch.rows.numpy()
        counts = np.ones(len(rows), dtype=bool) if is_judged is None else is_judged[rows]
        chosen = torch.from_numpy(counts).to(given.device)
        given, scores = given[chosen], scores[chosen]
        is_token = given != PAD
        logits.append(scores[is_token].cpu())
        tokens.append(given[is_token].cpu())
        lengths.append(is_token.sum(1).cpu())
        wanted = [encoded.table.answers[row] for row in rows[counts].tolist()]
        is_right.append(exact_matches(texts(given), wanted, settings.language))
        values += logits[-1].numel()
        if values > _MOST_VALUES:
            break
    return calibrated_temperature(
        torch.cat(logits), torch.cat(tokens), torch.cat(lengths), np.concatenate(is_right)
    )


def calibrated_temperature(
    logits: Tensor, tokens: Tensor, lengths: Tensor, is_right: NDArray[np.float64]
) -> float:
    """The temperature under which the probabilities of answers foretell best which are right.

    Least is the cross-entropy of being right under the tempered probability of the
    whole answer, with the targets of Platt 1999, which leave room for a mistake
    where there was none, and a normal prior on the log temperature. Rows without a
    mistake are no evidence that the model is too modest: then it is at least 1.

    Args:
        logits: of all answers' tokens, one answer after the other, ``(N, V)``.
        tokens: these tokens, ``(N,)``.
        lengths: tokens of each answer, ``(rows,)``.
        is_right: 1 where the answer is right, else 0, ``(rows,)``.
    """
    right = float(is_right.sum())
    wrong = len(is_right) - right
    target = torch.where(
        torch.from_numpy(is_right > 0), (right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0)
    ).double()
    row = torch.repeat_interleave(torch.arange(len(lengths)), lengths)

    def loss(log_temperature: float) -> float:
        scaled = (logits / float(np.exp(log_temperature))).log_softmax(-1)
        gained = scaled.gather(1, tokens[:, None])[:, 0].double()
        log_probability = torch.zeros(len(lengths), dtype=torch.float64).index_add(0, row, gained)
        log_probability = log_probability.clamp(max=-1e-9)  # a probability below 1
        doubt = torch.log(-torch.expm1(log_probability))
        entropy = -(target * log_probability + (1.0 - target) * doubt).sum()
        return float(entropy) + 0.5 * (log_temperature / PRIOR_DEVIATION) ** 2

    least, most = _LOGIT_TEMPERATURES
    bounds = tuple(np.log((least if wrong else 1.0, most)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    # a flat loss has no better place than where the model is
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
