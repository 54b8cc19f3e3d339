"""Temperature scaling of the answers' probabilities (Guo et al. 2017, arXiv:1706.04599).

One number divides all logits of the decoder. It changes how sure the model says
it is, never what it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore
from latentvqa.data.tokenizer import BOS, PAD
from latentvqa.engine.encoding import encoded_batches
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.scoring import ScoringSettings
from latentvqa.models import VQAModel

MOST_ROWS = 5_000
_MOST_VALUES = 50_000_000  # logits that are kept, 200 MB
_LOGIT_TEMPERATURES = (0.05, 20.0)


@torch.no_grad()
def fit_logit_temperature(
    model: VQAModel,
    encoded: EncodedTable,
    store: ImageStore,
    settings: ScoringSettings,
    poll: Callable[[], None] = lambda: None,
) -> float:
    """Find what to divide the logits by, so that held-out answers are likeliest.

    Answers are read from z = mu, as ``evaluate`` and ``predict`` do.

    Args:
        model: in eval mode.
        encoded: held-out rows; the first images' rows up to ``MOST_ROWS`` count.
        store: their images.
        settings: batch size, device and precision.
        poll: called after every batch; may raise to stop.
    """
    logits: list[Tensor] = []
    targets: list[Tensor] = []
    values = 0
    for scores, wanted in _target_logits(model, encoded, store, settings):
        logits.append(scores)
        targets.append(wanted)
        values += scores.numel()
        poll()
        if values > _MOST_VALUES:
            break
    return likeliest_temperature(torch.cat(logits), torch.cat(targets))


def likeliest_temperature(logits: Tensor, targets: Tensor) -> float:
    """The temperature under which the targets have the least cross-entropy.

    Args:
        logits: of each token, shape ``(N, V)``.
        targets: token that should have come, shape ``(N,)``.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / float(np.exp(log_temperature))
        return float(torch.nn.functional.cross_entropy(scaled, targets))

    bounds = tuple(np.log(_LOGIT_TEMPERATURES))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
    # a flat loss has no better place than where the model is
    is_better = found.fun < loss(0.0)
    return float(np.exp(found.x)) if is_better else 1.0


def _target_logits(
    model: VQAModel, encoded: EncodedTable, store: ImageStore, settings: ScoringSettings
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and targets of every answer token, padding left out."""
    for one in encoded_batches(
        model, encoded, store, replace(settings, workers=0), most_rows=MOST_ROWS
    ):
        encoding, targets = one.encoded, one.batch.answer_tokens
        posterior = encoding.posterior if settings.is_latent_used else None
        with autocast(settings.device, settings.precision):
            memory = model.memory(encoding, None if posterior is None else posterior.mu)
            logits = model.answer_logits(memory.tokens, targets, BOS)
        is_token = targets != PAD
        yield logits.float()[is_token].cpu(), targets[is_token].cpu()
