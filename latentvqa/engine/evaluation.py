"""Scores of a model on a table, with intervals, types and image-blind priors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from latentvqa.core.answers import exact_match, token_f1, vqa_official
from latentvqa.core.priors import blind_prior_answers
from latentvqa.core.records import SplitMetrics
from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform, bad_image_message, drop_images
from latentvqa.data.split import read_split
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.durable import replace_file
from latentvqa.engine.intervals import Measure, mean_with_interval
from latentvqa.engine.interventions import Laboratory
from latentvqa.engine.latent_use import (
    MOST_ROWS,
    SHORT_ROWS,
    LatentUse,
    examine_latent_use,
    examined_rows,
)
from latentvqa.engine.loading import LoadedModel
from latentvqa.engine.observer import Observer
from latentvqa.engine.run_folder import SPLIT_FILE, read_config, run_of
from latentvqa.engine.scoring import ScoringSettings, TableScores, score_table
from latentvqa.errors import CheckpointError, DataError

SCHEMA = 1
# the official VQA accuracy compares with several people's answers
OFFICIAL_REFERENCES = 3
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
        latent_use: whether the answers rest on the latent, where it was asked.
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
    latent_use: LatentUse | None = None

    @property
    def best_prior(self) -> tuple[str, float]:
        """Name and exact match of the best image-blind prior."""
        return max(self.priors.items(), key=lambda item: item[1])

    def to_json(self) -> dict[str, Any]:
        """One object with a schema version."""
        return {
            "schema": SCHEMA,
            "run": str(self.run),
            "checkpoint": self.checkpoint.name,
            "table": str(self.table.path),
            "questions": len(self.table),
            "images": len(self.table.image_paths),
            "metrics": {name: measure.to_json() for name, measure in self.measures.items()},
            "losses": {
                name: getattr(self.losses, name)
                for name in (
                    "answer_loss",
                    "answer_nll",
                    "total_loss",
                    "kl_raw",
                    "kl_after",
                    "rate",
                    "information_bound",
                    "answer_entropy",
                    "answer_gain",
                    "active_units",
                    "temperature",
                )
            },
            "priors": dict(self.priors),
            "types": {
                name: {"exact_match": scores.exact_match.to_json(), "prior": scores.prior}
                for name, scores in self.types.items()
            },
            "latent_use": None if self.latent_use is None else self.latent_use.to_json(),
        }


def validation_table(path: Path) -> QuestionTable:
    """Read the validation side of the run that a checkpoint belongs to.

    Raises:
        CheckpointError: if the run's data cannot be found any more.
    """
    run = run_of(path)
    data = read_config(run).data
    if data.train is None:
        raise CheckpointError(f"{run}: its config names no table; give --data and --images")
    source = data.train if data.val is None else data.val
    images = data.images if data.val is None else data.val_images or data.images
    table = read_questions(
        source, columns=data.columns, images=images, allow_outside=data.allow_outside
    )
    return table if data.val is not None else read_split(run / SPLIT_FILE, table)[1]


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
    settings = replace(settings, is_shuffled_too=True)

    def on_batch(done: int, total: int) -> None:
        observer.progress("questions", done, total)
        poll()

    scores = score_table(loaded.model, encoded, store, loaded.tokenizers.answer, settings, on_batch)
    is_right = _matches(scores.answers, table)
    priors = _prior_matches(table)
    return Evaluation(
        run=run,
        checkpoint=loaded.folder,
        table=table,
        measures=_measures(scores, table, is_right),
        losses=scores.metrics,
        priors={name: float(matches.mean()) for name, matches in priors.items()},
        types=_by_type(table, is_right, priors),
        answers=scores.answers,
        confidences=scores.confidences,
        latent_use=None
        if latent_use == "none"
        else _latent_use(loaded, table, store, settings, latent_use == "short", observer, poll),
    )


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write ``evaluation.json`` and ``predictions.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(evaluation.to_json(), indent=1, ensure_ascii=False)
    replace_file(folder / "evaluation.json", text.encode())
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["row", "image", "question", "answer", "reference", "correct", "confidence"])
    table = evaluation.table
    for row, answer in enumerate(evaluation.answers):
        writer.writerow(
            [
                int(table.rows[row]),
                table.image_names[table.image_index[row]],
                table.questions[row],
                answer,
                table.reference(row),
                int(exact_match(answer, table.answers[row])),
                f"{evaluation.confidences[row]:.6f}",
            ]
        )
    replace_file(folder / "predictions.csv", buffer.getvalue().encode())


def _latent_use(
    loaded: LoadedModel,
    table: QuestionTable,
    store: ImageStore,
    settings: ScoringSettings,
    is_short: bool,
    observer: Observer,
    poll: Callable[[], None],
) -> LatentUse:
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
    best_prior = max(float(matches.mean()) for matches in _prior_matches(part).values())
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


def _measures(
    scores: TableScores, table: QuestionTable, is_right: np.ndarray
) -> dict[str, Measure]:
    images = table.image_index
    rows = range(len(table))
    measures = {
        "exact_match": mean_with_interval(is_right, images),
        "token_f1": mean_with_interval(
            np.array([token_f1(scores.answers[row], table.answers[row]) for row in rows]), images
        ),
    }
    if all(len(references) >= OFFICIAL_REFERENCES for references in table.answers):
        official = [vqa_official(scores.answers[row], table.answers[row]) for row in rows]
        measures["vqa_official"] = mean_with_interval(np.array(official), images)
    measures["answer_nll"] = mean_with_interval(scores.answer_nll, images)
    if scores.shuffled_answers:
        matches = _matches(scores.shuffled_answers, table)
        measures["exact_match_latents_shuffled"] = mean_with_interval(matches, images)
    return measures


def _prior_matches(table: QuestionTable) -> dict[str, np.ndarray]:
    images = [table.image_names[index] for index in table.image_index]
    answers = blind_prior_answers(table.questions, table.types, table.answers, images)
    return {name: _matches(given, table) for name, given in answers.items()}


def _matches(answers: list[str], table: QuestionTable) -> np.ndarray:
    pairs = zip(answers, table.answers, strict=True)
    return np.array([exact_match(answer, references) for answer, references in pairs], dtype=float)


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
            prior=max(float(matches[chosen].mean()) for matches in priors.values()),
        )
    return found
