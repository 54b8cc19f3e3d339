"""Scores of a model on a table, with intervals, types and image-blind priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from latentvqa.core.exchanges import ExchangeLimits
from latentvqa.core.figures import counted
from latentvqa.core.records import SplitMetrics
from latentvqa.core.results.evaluation import EvaluationResult, Losses, TypeScores
from latentvqa.data.batches import EncodedTable, ImageSource
from latentvqa.data.images import ImageStore, ImageTransform, bad_image_message, drop_images
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.blind_scores import BlindScores, score_blindly
from latentvqa.engine.evaluation.calibration import fit_logit_temperature
from latentvqa.engine.evaluation.seen_answers import seen_answers
from latentvqa.engine.features import SomeImages, encoded_once
from latentvqa.engine.latent_use.examination import Examination
from latentvqa.engine.latent_use.experiments import (
    MOST_ROWS,
    SHORT_ROWS,
    examine_latent_use,
    examined_rows,
)
from latentvqa.engine.latent_use.interventions import InterventionRunner
from latentvqa.engine.metrics.confidence import judge_confidence
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.metrics.protocols import protocol_meanings, protocol_scores
from latentvqa.engine.runs.blind import blind_models_of
from latentvqa.engine.runs.checkpoint import write_calibration
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.scoring import ScoringSettings, score_table
from latentvqa.errors import CheckpointError, DataError, LatentVQAError

_CACHE_MIB = 2048

LatentUseExtent = Literal["none", "short", "full"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What ``evaluate`` found, and the rows behind it.

    Attributes:
        result: what is shown and written down.
        table: the questions.
        losses: losses and latent measures of the pass, all of them.
        answers: the model's answers, row by row.
        is_right: 1 where the answer equals a reference, else 0, ``(rows,)``.
        confidences: probabilities of the answers, ``(rows,)``.
        log_probabilities: of the answers without the fitted temperature, which
            they are ordered by, ``(rows,)``.
        examination: rows behind ``result.latent_use``; None without it.
    """

    result: EvaluationResult
    table: QuestionTable
    losses: SplitMetrics
    answers: list[str]
    is_right: np.ndarray
    confidences: np.ndarray
    log_probabilities: np.ndarray
    examination: Examination | None


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
    limits: ExchangeLimits | None = None,
    is_calibrating: bool = False,
) -> Evaluation:
    """Score a table by free generation.

    Args:
        loaded: the model.
        table: questions with answers.
        observer: receives progress and notices.
        run: what the user asked to evaluate.
        samples: latent samples to answer from; 0 answers from z = mu.
        batch_size: questions per batch.
        skip_bad_images: drop questions about bad images instead of refusing.
        latent_use: whether to interfere with latent, image and question, and how
            much of it.
        limits: of the latent-use test; the defaults without them.
        is_calibrating: first fit the confidences to this table, which must be
            the validation split, and keep the result with the checkpoint.

    Raises:
        DataError: if images cannot be decoded.
    """
    table, store = _open_images(loaded, table, observer, skip_bad_images)
    spec = loaded.spec
    encoded = EncodedTable(
        table, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    _tell_unread_questions(encoded, spec.max_question_tokens, observer)
    settings = loaded.scoring_settings(batch_size=batch_size, samples=samples)
    if latent_use != "none":  # many passes over the same images
        store = encoded_once(loaded.model.vision, store, len(table.image_paths), settings, observer)
    blind = _blind_scores(loaded, run, encoded, settings.language, observer)
    if is_calibrating:
        observer.notice("fitting the confidence to the validation answers")
        temperature = fit_logit_temperature(
            loaded.model,
            encoded,
            store,
            loaded.tokenizers.answer,
            settings,
            None if blind is None else blind.is_judged,
        )
        try:
            write_calibration(loaded.folder, temperature)
        except CheckpointError as error:
            observer.notice(f"warning: {error}")
        settings = replace(settings, logit_temperature=temperature)
    settings = replace(settings, is_shuffled_too=True)

    scores = score_table(
        loaded.model,
        encoded,
        store,
        loaded.tokenizers.answer,
        settings,
        partial(observer.progress, "questions"),
        blind=blind,
    )
    language, is_right = settings.language, scores.is_right
    priors = {} if blind is None else blind.matches
    metrics = protocol_scores(scores.answers, is_right, table, language)
    metrics["answer_nll"] = mean_with_interval(
        scores.answer_nll, table.image_index, quantity="amount"
    )
    if scores.shuffled_answers:
        shuffled = exact_matches(scores.shuffled_answers, table.answers, language)
        metrics["exact_match_latents_shuffled"] = mean_with_interval(shuffled, table.image_index)
    seen = seen_answers(
        table, is_right, run, language, loaded.tokenizers.answer, spec.max_answer_tokens
    )
    places = RunFolder.holding(run)
    if seen is None and places.config.exists():  # a copied checkpoint has neither
        observer.notice(
            f"warning: {places.answers} is missing or damaged, so what training had "
            "seen of the answers is not known; train --resume makes it anew"
        )
    confidence = judge_confidence(
        scores.confidences,
        is_right,
        table.image_index,
        settings.logit_temperature,
        scores.log_probabilities,
    )
    examination = None
    if latent_use != "none":
        is_short = latent_use == "short"
        examination = _examine(loaded, table, store, settings, is_short, limits, blind, observer)
    result = EvaluationResult(
        run=str(run),
        checkpoint=loaded.folder.name,
        table=str(table.path.resolve()),
        questions=len(table),
        images=len(table.image_paths),
        language=language,
        metrics=metrics,
        protocols=protocol_meanings(metrics),
        losses=Losses.of(scores.metrics),
        priors={name: float(match.mean()) for name, match in priors.items()},
        types=_by_type(table, is_right, priors),
        seen_answers=seen,
        confidence=confidence,
        latent_use=None if examination is None else examination.result,
        questions_cut=int(encoded.is_question_cut.sum()),
        questions_with_unknown_words=int(encoded.has_unknown_words.sum()),
    )
    return Evaluation(
        result,
        table,
        scores.metrics,
        scores.answers,
        is_right,
        scores.confidences,
        scores.log_probabilities,
        examination,
    )


def _examine(
    loaded: LoadedModel,
    table: QuestionTable,
    store: ImageSource,
    settings: ScoringSettings,
    is_short: bool,
    limits: ExchangeLimits | None,
    blind: BlindScores | None,
    observer: Observer,
) -> Examination | None:
    if len(table.image_paths) < 2:
        observer.notice(
            "warning: latent use is not examined: the table asks about one image, and latents are "
            "exchanged between images"
        )
        return None
    rows = examined_rows(table, SHORT_ROWS if is_short else MOST_ROWS)
    part = table.select(rows)
    spec = loaded.spec

    def on_batch(name: str, done: int, total: int) -> None:
        observer.progress(name.replace("_", " "), done, total)

    runner = InterventionRunner(
        loaded.model,
        EncodedTable(part, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens),
        SomeImages(store, np.unique(table.image_index[rows])),  # as table.select orders them
        loaded.tokenizers.answer,
        settings,
        on_batch,
    )
    return examine_latent_use(
        runner, None if blind is None else blind.select(rows), limits, is_short=is_short
    )


def _tell_unread_questions(encoded: EncodedTable, limit: int, observer: Observer) -> None:
    for is_so, told in (
        (encoded.is_question_cut, f"cut, longer than {counted(limit, 'token')}"),
        (encoded.has_unknown_words, "with words that training never had"),
    ):
        if is_so.any():
            observer.notice(
                f"warning: {is_so.sum():,} of {counted(len(encoded), 'question')} {told}"
            )


def _open_images(
    loaded: LoadedModel,
    table: QuestionTable,
    observer: Observer,
    skip_bad_images: bool,
) -> tuple[QuestionTable, ImageSource]:
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation, loaded.max_pixels)
    store = ImageStore(table.image_paths, transform, _CACHE_MIB)
    faults = store.load(partial(observer.progress, "images"))
    if not faults:
        return table, store
    if not skip_bad_images:
        advice = "To evaluate without them: --skip-bad-images."
        raise DataError(f"{bad_image_message(faults, table)}\n{advice}")
    kept = drop_images(table, {fault.index for fault in faults})
    observer.notice(
        f"warning: skipped {counted(len(faults), 'bad image')} with "
        f"{counted(len(table) - len(kept), 'question')}"
    )
    return kept, store.subset(kept.image_paths)


def _blind_scores(
    loaded: LoadedModel, run: Path, encoded: EncodedTable, language: str, observer: Observer
) -> BlindScores | None:
    """What the run's image-blind models know of the table; None where none can be had."""
    try:
        models = blind_models_of(run, loaded, language)
    except LatentVQAError as error:
        observer.notice(
            "warning: the score is not compared with image-blind models, which are fitted on "
            f"training rows: {error}"
        )
        return None
    return score_blindly(models, encoded, language)


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
            prior=max((float(match[chosen].mean()) for match in priors.values()), default=None),
        )
    return found
