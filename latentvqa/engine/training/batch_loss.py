"""The loss of a training batch: forward pass, terms and their weighted sum.

It neither logs nor steps; what there is to note of a batch, it gives back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from latentvqa.core.records import Stage
from latentvqa.data.batches import Batch
from latentvqa.data.tokenizer import BOS, PAD
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.runtime.settings import Settings
from latentvqa.engine.training.teacher import Preference, Teacher
from latentvqa.models import Posterior, VQAModel
from latentvqa.objectives import (
    answer_loss,
    answer_nll,
    free_bits_penalty,
    kl_per_dimension,
    kl_per_token,
    orthogonality,
    spread_nll,
)


@dataclass(frozen=True)
class BatchResult:
    """What a batch costs, and what there is to note of it.

    Attributes:
        total: weighted sum of the terms.
        terms: each term before its weight, by name.
        answer_nll: nats of each answer, shape ``(Q,)``.
        answer_tokens: target tokens of the batch, end tokens included; a scalar.
        is_right: whether each answer is the likeliest one, shape ``(Q,)``.
        posterior: of the batch; None where the stage or the model has none.
        kl_raw: mean KL per latent token before free bits; None without a KL.
        preference: what the teacher found; None where it is off.
    """

    total: Tensor
    terms: Mapping[str, Tensor]
    answer_nll: Tensor
    answer_tokens: Tensor
    is_right: Tensor
    posterior: Posterior | None
    kl_raw: Tensor | None
    preference: Preference | None


class BatchLoss:
    """Reckons the loss of batch after batch.

    Args:
        settings: configuration, device and precision.
        model: on its device.
        teacher: gives the preference term of the full stage.
    """

    def __init__(self, settings: Settings, model: VQAModel, teacher: Teacher) -> None:
        self.settings, self.model, self.teacher = settings, model, teacher

    def __call__(
        self,
        batch: Batch,
        references: Sequence[Sequence[str]],
        stage: Stage,
        kl_weight: float,
        temperature: float,
    ) -> BatchResult:
        """All terms of the loss, with gradient.

        Args:
            batch: on any device.
            references: reference answers of each question.
            stage: the baseline stage leaves the latent out, the full one asks
                the teacher.
            kl_weight: what multiplies ``kl_after``.
            temperature: latent temperature.
        """
        config = self.settings.config
        batch = batch.to(self.settings.device)
        targets = batch.answer_tokens
        with autocast(self.settings.device, self.settings.precision):
            encoded = self.model.encode(batch.images, batch.image_index, batch.question_tokens)
            posterior = encoded.posterior if stage != "baseline" else None
            latents = None if posterior is None else posterior.sample(temperature)
            dropout = config.latent.token_dropout
            memory = self.model.memory(encoded, latents, drop_probability=dropout)
            logits = self.model.answer_logits(memory.tokens, targets, BOS)
        nll = answer_nll(logits, targets, PAD)
        terms = {"answer_loss": answer_loss(nll, targets, PAD)}
        total = terms["answer_loss"]
        if smoothing := config.optimizer.label_smoothing:
            spread = answer_loss(spread_nll(logits, targets, PAD), targets, PAD)
            total = (1 - smoothing) * total + smoothing * spread
        kl_raw = preference = None
        if posterior is not None and posterior.logvar is not None:
            kl_dim = kl_per_dimension(posterior.mu, posterior.logvar)
            kl_token = kl_per_token(kl_dim, config.kl.reduction)
            kl_raw = kl_token.detach().mean()
            terms["kl_after"] = free_bits_penalty(kl_token, self.settings.kl.free_bits)
            total = total + kl_weight * terms["kl_after"]
        if memory.before_dropout is not None:
            terms["orthogonality"] = orthogonality(memory.before_dropout)
            total = total + config.latent.orthogonality_weight * terms["orthogonality"]
        if stage == "full" and config.teacher.weight > 0:
            with autocast(self.settings.device, self.settings.precision):
                preference = self.teacher.preference(
                    self.model, encoded, references, temperature, config.teacher
                )
            terms["teacher"] = preference.loss
            total = total + config.teacher.weight * preference.loss
        return BatchResult(
            total=total,
            terms=terms,
            answer_nll=nll,
            answer_tokens=(targets != PAD).sum(),
            is_right=((logits.argmax(-1) == targets) | (targets == PAD)).all(dim=1),
            posterior=posterior,
            kl_raw=kl_raw,
            preference=preference,
        )
