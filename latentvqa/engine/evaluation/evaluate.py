"""Scores of a model on a table, with intervals, types and image-blind priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from latentvqa.core.answers.priors import blind_prior_answers
from latentvqa.core.records import SplitMetrics
from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform, bad_image_message, drop_images
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.evaluation.calibration import fit_logit_temperature
from latentvqa.engine.evaluation.seen_answers import SeenAnswers, seen_answers
from latentvqa.engine.latent_use.experiments import (
    MOST_ROWS,
    SHORT_ROWS,
    examine_latent_use,
    examined_rows,
)
from latentvqa.engine.latent_use.interventions import Laboratory
from latentvqa.engine.latent_use.result import LatentUse
from latentvqa.engine.metrics.confidence import Confidence, judge_confidence
from latentvqa.engine.metrics.intervals import Measure, mean_with_interval
from latentvqa.engine.metrics.protocols import matches, protocol_scores
from latentvqa.engine.runs.checkpoint import write_calibration
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.scoring import ScoringSettings, score_table
from latentvqa.errors import DataError

_CACHE_MIB = 2048

LatentUseExtent = Literal["none", "short", "full"]


@dataclass(frozen=True)
class TypeScores:
    """One question type: the model, the best blind prior, and the rows."""

    exact_match: Measure
    prior: float


@dataclass(frozen=True)
class Evaluation:
    """What ``evaluate`` found.

    Attributes:
        run: what was evaluated, as the user named it.
        checkpoint: folder that was loaded.
        table: the questions.
        measures: scores by protocol name.
        losses: losses and latent measures of the same pass.
        priors: exact match of each image-blind prior.
        types: scores per question type; empty where the table has none.
        answers: the model's answers, row by row.
        confidences: their probabilities.
        confidence: how good these are.
        language: whose rules the answers were normalised by; empty for none.
        seen: what training had seen of the answers; None where nobody wrote it
            down.
        latent_use: whether the answers rest on the latent, where it was asked
            and the table has two images or more.
    """

    run: Path
    checkpoint: Path
    table: QuestionTable
    measures: Mapping[str, Measure]
    losses: SplitMetrics
    priors: Mapping[str, float]
    types: Mapping[str, TypeScores]
    answers: list[str]
    confidences: np.ndarray
    confidence: Confidence
    language: str
    seen: SeenAnswers | None
    latent_use: LatentUse | None

    @property
    def best_prior(self) -> tuple[str, float]:
        """Name and exact match of the best image-blind prior."""
        return max(self.priors.items(), key=lambda item: item[1])


def evaluate(
    loaded: LoadedModel,
    table: QuestionTable,
    observer: Observer,
    *,
    run: Path,
    samples: int = 0,
    batch_size: int = 640,
    skip_bad_images: bool = False,
    latent_use: LatentUseExtent = "none",
    is_calibrating: bool = False,
    poll: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Score a table by free generation.

    Args:
        loaded: the model.
        table: questions with answers.
        observer: hears of progress and notices.
        run: what the user asked to evaluate.
        samples: latent samples to answer from; 0 answers from z = mu.
        batch_size: questions per batch.
        skip_bad_images: drop questions about bad images instead of refusing.
        latent_use: whether to interfere with latent, image and question, and how
            much of it.
        is_calibrating: first fit the confidences to this table, which must be
            the validation split, and keep the result with the checkpoint.
        poll: called after every batch; may raise to stop.

    Raises:
        DataError: if images cannot be decoded.
    """
    table, store = _open_images(loaded, table, observer, skip_bad_images, poll)
    spec = loaded.spec
    encoded = EncodedTable(
        table, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    settings = loaded.scoring_settings(batch_size=batch_size, samples=samples)
    if is_calibrating:
        observer.notice("fitting the confidence to the validation answers")
        temperature = fit_logit_temperature(loaded.model, encoded, store, settings, poll)
        write_calibration(loaded.folder, temperature)
        settings = replace(settings, logit_temperature=temperature)
    settings = replace(settings, is_shuffled_too=True)

    def on_batch(done: int, total: int) -> None:
        observer.progress("questions", done, total)
        poll()

    scores = score_table(loaded.model, encoded, store, loaded.tokenizers.answer, settings, on_batch)
    language = settings.language
    is_right = matches(scores.answers, table, language)
    priors = _prior_matches(table, language)
    measures = protocol_scores(scores.answers, table, language)
    measures["answer_nll"] = mean_with_interval(scores.answer_nll, table.image_index)
    if scores.shuffled_answers:
        shuffled = matches(scores.shuffled_answers, table, language)
        measures["exact_match_latents_shuffled"] = mean_with_interval(shuffled, table.image_index)
    seen = seen_answers(table, is_right, run, language)
    places = RunFolder.holding(run)
    if seen is None and places.config.exists():  # a copied checkpoint has neither
        observer.notice(
            f"warning: {places.answers} is missing or damaged, so what training had "
            "seen of the answers is not told"
        )
    return Evaluation(
        run=run,
        checkpoint=loaded.folder,
        table=table,
        measures=measures,
        losses=scores.metrics,
        priors={name: float(match.mean()) for name, match in priors.items()},
        types=_by_type(table, is_right, priors),
        answers=scores.answers,
        confidences=scores.confidences,
        confidence=judge_confidence(
            scores.confidences, is_right, table.image_index, settings.logit_temperature
        ),
        language=language,
        seen=seen,
        latent_use=None
        if latent_use == "none"
        else _latent_use(loaded, table, store, settings, latent_use == "short", observer, poll),
    )


def _latent_use(
    loaded: LoadedModel,
    table: QuestionTable,
    store: ImageStore,
    settings: ScoringSettings,
    is_short: bool,
    observer: Observer,
    poll: Callable[[], None],
) -> LatentUse | None:
    if len(table.image_paths) < 2:
        observer.notice(
            "warning: latent use is not examined: the table asks about one image, and latents are "
            "exchanged between images"
        )
        return None
    part = table.select(examined_rows(table, SHORT_ROWS if is_short else MOST_ROWS))
    spec = loaded.spec

    def on_batch(name: str, done: int, total: int) -> None:
        observer.progress(name.replace("_", " "), done, total)
        poll()

    laboratory = Laboratory(
        loaded.model,
        EncodedTable(part, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens),
        store.subset(part.image_paths),
        loaded.tokenizers.answer,
        settings,
        on_batch,
    )
    priors = _prior_matches(part, settings.language)
    best_prior = max(float(match.mean()) for match in priors.values())
    return examine_latent_use(laboratory, best_prior, is_short=is_short)


def _open_images(
    loaded: LoadedModel,
    table: QuestionTable,
    observer: Observer,
    skip_bad_images: bool,
    poll: Callable[[], None],
) -> tuple[QuestionTable, ImageStore]:
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation)
    store = ImageStore(table.image_paths, transform, _CACHE_MIB)

    def on_images(done: int, total: int) -> None:
        observer.progress("images", done, total)
        poll()

    faults = store.load(on_images)
    if not faults:
        return table, store
    if not skip_bad_images:
        advice = "To evaluate without them: --skip-bad-images."
        raise DataError(f"{bad_image_message(faults, table)}\n{advice}")
    kept = drop_images(table, {fault.index for fault in faults})
    observer.notice(
        f"warning: skipped {len(faults)} bad images with {len(table) - len(kept)} questions"
    )
    return kept, store.subset(kept.image_paths)


def _prior_matches(table: QuestionTable, language: str) -> dict[str, np.ndarray]:
    images = [table.image_names[index] for index in table.image_index]
    answers = blind_prior_answers(table.questions, table.types, table.answers, images)
    return {name: matches(given, table, language) for name, given in answers.items()}


def _by_type(
    table: QuestionTable, is_right: np.ndarray, priors: Mapping[str, np.ndarray]
) -> dict[str, TypeScores]:
    if table.types is None:
        return {}
    types = np.array(table.types)
    found = {}
    for name in sorted(set(table.types)):
        chosen = types == name
        found[name] = TypeScores(
            exact_match=mean_with_interval(is_right[chosen], table.image_index[chosen]),
            prior=max(float(match[chosen].mean()) for match in priors.values()),
        )
    return found
