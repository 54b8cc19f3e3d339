"""The evaluation of a run: load, read the table, score, write down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from latentvqa.config import Config, Data
from latentvqa.core.exchanges import ExchangeLimits
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.engine.evaluation.evaluate import Evaluation, evaluate
from latentvqa.engine.evaluation.files import write_evaluation
from latentvqa.engine.runs.evaluations import evaluation_folder
from latentvqa.engine.runs.folder import RunFolder, edited_notes, read_config, run_of
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.lock import writer_if_possible
from latentvqa.engine.runs.places import is_own_table, moved, require_same_images
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import ConfigError
from latentvqa.sums import damaged_files


@dataclass(frozen=True)
class EvaluationRequest:
    """What is evaluated, and how.

    Attributes:
        run: run folder (its best), ``RUN/last``, or a checkpoint.
        data: the table; None for the run's validation split. The run's own table at
            a new place, where it is not at the old one any more, stands for that too.
        images: images folder of ``data``; None for the run's. Without ``data`` the
            new place of the run's own images.
        columns: names of its columns by what they hold, where they differ from the
            run's.
        is_latent_use_examined: whether to interfere with latent, image and question.
        margin: exact match that a harmless exchange may cost, as a fraction; None for
            the run's.
        samples: latent samples to answer from; 0 answers from the mean.
        batch_size: questions per batch.
        skip_bad_images: drop questions about bad images instead of refusing.
        device: where to compute.
        escapes_formulas: put an apostrophe before cells of ``predictions.csv`` that a
            spreadsheet would compute.
    """

    run: Path
    data: Path | None = None
    images: Path | None = None
    columns: Mapping[str, str] | None = None
    is_latent_use_examined: bool = False
    margin: float | None = None
    samples: int = 0
    batch_size: int = 640
    skip_bad_images: bool = False
    device: str = "auto"
    escapes_formulas: bool = False


def evaluate_run(request: EvaluationRequest, observer: Observer) -> tuple[Evaluation, Path | None]:
    """Evaluate a checkpoint, show the result, and write it into the run folder.

    The folder has one writer: it is held until the end. Where it cannot be written
    the result is shown all the same.

    Args:
        request: what is evaluated.
        observer: receives notices, progress and the result.

    Returns:
        What was found, and the folder that holds it, if one could be written.

    Raises:
        ConfigError: if columns are given without a table.
        CheckpointError: if another process writes into the folder, or checkpoint or
            validation table cannot be read, or images at a new place are others.
        DataError: if table or images cannot be used.
        Interrupted: at a signal; nothing is written then.
    """
    run, data = request.run, request.data
    if data is None and request.columns:
        raise ConfigError("--column belongs to a table: name it with --data FILE")
    limits = _limits(request)
    with writer_if_possible(run_of(run), observer.notice) as is_writable:
        loaded = load_model(run, request.device)
        for note in (*loaded.notes, *edited_notes(run_of(run))):
            observer.notice(f"warning: {note}")
        skip_bad_images = request.skip_bad_images
        known = _config(request).data
        if data is not None and is_own_table(run_of(run), known, data):
            observer.notice(f"{data} is the run's own table at a new place")
            known, data = moved(known, data, None), None
        if data is None:
            table = _own_table(request, known, observer)
            skip_bad_images |= known.on_bad_image == "skip"
        else:
            table = _read_table(request, data)
        for note in table.notes:
            observer.notice(f"warning: {note}")
        found = evaluate(
            loaded,
            table,
            observer,
            run=run,
            samples=request.samples,
            batch_size=request.batch_size,
            skip_bad_images=skip_bad_images,
            latent_use="full" if request.is_latent_use_examined else "none",
            limits=limits,
            is_calibrating=data is None and loaded.logit_temperature is None,
        )
        observer.evaluated(found)
        if not is_writable:
            return found, None
        folder = evaluation_folder(run_of(run), data, loaded.folder.name)
        try:
            for path in damaged_files(folder):
                observer.notice(f"warning: {path} was damaged and is replaced")
            write_evaluation(found, folder, escapes_formulas=request.escapes_formulas)
        except OSError as error:
            observer.notice(f"warning: {folder}: the result is not saved: {error.strerror}")
            return found, None
        return found, folder


def _own_table(request: EvaluationRequest, data: Data, observer: Observer) -> QuestionTable:
    """The validation rows of the run, with their images where they are now."""
    if request.images is None:
        return validation_table(request.run, data)
    table = validation_table(request.run, moved(data, None, request.images))
    note = require_same_images(
        run_of(request.run), [("val", table)], partial(observer.progress, "comparing images")
    )
    if note:
        observer.notice(f"warning: {note}")
    return table


def _limits(request: EvaluationRequest) -> ExchangeLimits:
    """Limits of the latent-use test: the run's, with the margin that was asked for."""
    known = _config(request).latent_use
    if request.margin is None:
        return known
    if not request.is_latent_use_examined:
        raise ConfigError("--margin belongs to the latent-use test: add --latent-use")
    if not 0.0 < request.margin <= 1.0:
        raise ConfigError(f"--margin {request.margin:g}: must be above 0 and at most 1")
    return known.model_copy(update={"margin": request.margin})


def _config(request: EvaluationRequest) -> Config:
    """The run's; the defaults for a checkpoint that was copied out of its run."""
    folder = run_of(request.run)
    return read_config(folder) if RunFolder(folder).config.exists() else Config()


def _read_table(request: EvaluationRequest, data: Path) -> QuestionTable:
    known = _config(request).data
    return read_questions(
        data,
        columns=request.columns,
        usual_columns=known.columns,
        images=request.images if request.images is not None else known.images,
        allow_outside=known.allow_outside,
    )
