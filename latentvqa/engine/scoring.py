"""One pass over a table without gradient: losses, measures and generated answers.

Training validates with it and ``evaluate`` scores with it, so that the two
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from latentvqa.core.records import KLConvention, SplitMetrics
from latentvqa.data.batches import EncodedTable, ImageSource
from latentvqa.data.tokenizer import BOS, PAD, TextTokenizer
from latentvqa.engine.answering import AnswerTexts, GivenAnswers, most_probable_answers
from latentvqa.engine.blind_scores import BlindScores
from latentvqa.engine.encoding import EncodedBatch, EncodingSettings, encoded_batches
from latentvqa.engine.metrics.accumulator import MetricAccumulator, entropy_of
from latentvqa.engine.metrics.capacity import MOST_UNITS, LatentCovariance
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.runtime.device import autocast
from latentvqa.models import Encoded, Posterior, VQAModel
from latentvqa.objectives import answer_nll, orthogonality

SAMPLE_SEEDS = 7919  # between the seeds of one row's samples


@dataclass(frozen=True, kw_only=True)
class ScoringSettings(EncodingSettings):
    """How a table is scored.

    Attributes:
        kl: how the KL is reduced and hinged.
        effective_weight: KL weight for the total.
        orthogonality_weight: weight of that term for the total.
        temperature: latent temperature of the loss; answers use z = mu.
        seed: of the noise, which is fixed per row.
        is_latent_used: false in the baseline stage, which skips the latent.
        is_shuffled_too: answer once more with latents shuffled between examples.
        samples: additional latent samples to answer from; 0 for z = mu alone.
        language: whose rules answers are normalised by; empty for none.
        logit_temperature: what logits are divided by for a confidence.
    """

    kl: KLConvention
    effective_weight: float
    orthogonality_weight: float
    temperature: float
    seed: int
    is_latent_used: bool = True
    is_shuffled_too: bool = False
    samples: int = 0
    language: str = ""
    logit_temperature: float = 1.0


@dataclass(frozen=True)
class TableScores:
    """Result of a pass.

    Attributes:
        metrics: losses and latent measures.
        answers: generated answer of each row of the table.
        is_right: 1 where it equals a reference, else 0, shape ``(rows,)``.
        confidences: probability of the whole answer, shape ``(rows,)``.
        log_probabilities: of the whole answer by the logits as they are, whatever
            the temperature of the confidences: what answers are ordered by,
            ``(rows,)``.
        answer_nll: nats of each reference answer, shape ``(rows,)``.
        shuffled_answers: answers from other examples' latents; empty unless
            asked for.
    """

    metrics: SplitMetrics
    answers: list[str]
    is_right: np.ndarray
    confidences: np.ndarray
    log_probabilities: np.ndarray
    answer_nll: np.ndarray
    shuffled_answers: list[str]


@torch.no_grad()
def score_table(
    model: VQAModel,
    encoded: EncodedTable,
    store: ImageSource,
    tokenizer: TextTokenizer,
    settings: ScoringSettings,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
    answer_entropy: float | None = None,
    blind: BlindScores | None = None,
) -> TableScores:
    """Score every row of a table that has answers.

    Args:
        model: in any mode; it is left in the mode it came in.
        encoded: the questions and targets.
        store: the images.
        tokenizer: of the answers.
        settings: how to score.
        on_batch: called with rows done and rows in all; may raise to stop.
        answer_entropy: H(A) of the targets in nats, where it is known; else it is
            reckoned here.
        blind: what models without images know of the rows, and which of them are
            judged; without it all are.
    """
    was_training = model.training
    model.eval()
    rows = len(encoded.table)
    measures = MetricAccumulator(settings.kl, settings.device)
    answers, shuffled = [""] * rows, [""] * rows
    confidences, log_probabilities, nlls = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    texts = AnswerTexts(tokenizer)
    is_judged = None if blind is None else torch.from_numpy(blind.is_judged)
    covariance = _covariance(model, settings)
    done = 0
    for one in encoded_batches(model, encoded, store, settings):
        encoding, places = one.encoded, one.batch.rows
        nll = _add_losses(model, one, measures, settings, is_judged)
        posterior = encoding.posterior
        if covariance is not None and posterior is not None and posterior.logvar is not None:
            covariance.add(posterior.mu, posterior.logvar)
        latents = _mean_latents(encoding, settings)
        if settings.samples:
            found = _most_probable(model, one, texts, settings)
        else:
            found = _answer(model, encoding, latents, texts, settings)
        if settings.is_shuffled_too and latents is not None:
            moved = latents.roll(max(1, len(latents) // 2), dims=0)
            _place(shuffled, places, _answer(model, encoding, moved, texts, settings).answers)
        _place(answers, places, found.answers)
        confidences[places.numpy()] = found.probabilities
        log_probabilities[places.numpy()] = found.log_probabilities
        nlls[places.numpy()] = nll.double().cpu().numpy()
        done += len(places)
        on_batch(done, rows)
    model.train(was_training)
    is_right = exact_matches(answers, encoded.table.answers, settings.language)
    if answer_entropy is None:
        chosen = range(rows) if blind is None else np.flatnonzero(blind.is_judged).tolist()
        answer_entropy = entropy_of(encoded.target_key(row) for row in chosen)
    metrics = measures.result(
        temperature=settings.temperature,
        answer_entropy=answer_entropy,
        orthogonality_weight=settings.orthogonality_weight,
        exact_match=float(is_right.mean()),
        prior_nll=None if blind is None else blind.prior_nll,
    )
    if covariance is not None:
        metrics = replace(metrics, capacity=covariance.capacity(settings.temperature))
    if blind is not None:
        gain, error = blind.image_gain(nlls)
        metrics = replace(
            metrics, blind_nll=blind.blind_nll, image_gain=gain, image_gain_error=error
        )
    is_shuffled = settings.is_shuffled_too and model.bottleneck is not None
    others = shuffled if is_shuffled else []
    return TableScores(metrics, answers, is_right, confidences, log_probabilities, nlls, others)


def row_noise(rows: Tensor, shape: tuple[int, int], seed: int) -> Tensor:
    """Standard normal noise that depends on row and seed alone: ``(rows, K, Z)``."""
    generator = torch.Generator()
    noise = torch.empty(len(rows), *shape)
    for position, row in enumerate(rows.tolist()):
        generator.manual_seed((seed * 1_000_003 + row) % 2**63)
        noise[position].normal_(generator=generator)
    return noise


def _covariance(model: VQAModel, settings: ScoringSettings) -> LatentCovariance | None:
    """Where the latents' capacity is added up; None without Gaussian ones in use."""
    units = settings.kl.tokens * settings.kl.dims
    has_latent = model.bottleneck is not None and settings.is_latent_used
    if not has_latent or settings.kl.bottleneck != "gaussian" or units > MOST_UNITS:
        return None
    return LatentCovariance(units, settings.device)


def _add_losses(
    model: VQAModel,
    one: EncodedBatch,
    measures: MetricAccumulator,
    settings: ScoringSettings,
    is_judged: Tensor | None,
) -> Tensor:
    encoding, targets = one.encoded, one.batch.answer_tokens
    latents = None
    posterior = encoding.posterior if settings.is_latent_used else None
    if posterior is not None:
        latents = _noisy(posterior, one.batch.rows, settings.temperature, settings.seed)
    with autocast(settings.device, settings.precision):
        memory = model.memory(encoding, latents)
        logits = model.answer_logits(memory.tokens, targets, BOS)
    nll = answer_nll(logits, targets, PAD)
    is_right = ((logits.argmax(-1) == targets) | (targets == PAD)).all(dim=1)
    chosen, counted = None, targets
    if is_judged is not None:
        chosen = is_judged[one.batch.rows].to(targets.device)
        counted = targets[chosen]
    measures.add_answers(nll, (counted != PAD).sum(), is_right, chosen)
    if posterior is not None:
        measures.add_posterior(posterior, settings.effective_weight)
    if memory.before_dropout is not None:
        measures.add_regularisers(orthogonality(memory.before_dropout), None, len(nll))
    return nll


def _noisy(posterior: Posterior, rows: Tensor, temperature: float, seed: int) -> Tensor:
    if temperature == 0.0 or posterior.logvar is None:
        return posterior.mu
    shape = (posterior.mu.shape[1], posterior.mu.shape[2])
    return posterior.sample(temperature, row_noise(rows, shape, seed).to(posterior.mu.device))


def _mean_latents(encoding: Encoded, settings: ScoringSettings) -> Tensor | None:
    posterior = encoding.posterior if settings.is_latent_used else None
    return None if posterior is None else posterior.mu


def _answer(
    model: VQAModel,
    encoding: Encoded,
    latents: Tensor | None,
    texts: AnswerTexts,
    settings: ScoringSettings,
) -> GivenAnswers:
    with autocast(settings.device, settings.precision):
        memory = model.memory(encoding, latents).tokens
        return most_probable_answers(
            model, [memory], texts, logit_temperature=settings.logit_temperature
        )


def _most_probable(
    model: VQAModel, one: EncodedBatch, texts: AnswerTexts, settings: ScoringSettings
) -> GivenAnswers:
    """Answers from several latent samples."""
    encoding, rows = one.encoded, one.batch.rows
    memories = []
    with autocast(settings.device, settings.precision):
        for sample in range(settings.samples):
            latents = None
            if encoding.posterior is not None and settings.is_latent_used:
                seed = settings.seed + SAMPLE_SEEDS * (sample + 1)
                latents = _noisy(encoding.posterior, rows, settings.temperature, seed)
            memories.append(model.memory(encoding, latents).tokens)
        return most_probable_answers(
            model, memories, texts, logit_temperature=settings.logit_temperature
        )


def _place(target: list[str], rows: Tensor, values: list[str]) -> None:
    for row, value in zip(rows.tolist(), values, strict=True):
        target[row] = value
