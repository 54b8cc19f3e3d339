"""A whole run: train or resume, evaluate, calibrate, write down, report.

What happens is reported to an observer; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from latentvqa.config import RULE_SCORER, Config
from latentvqa.core.diagnosis.diagnose import Diagnosis, diagnose
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.engine.evaluation.evaluate import Evaluation, evaluate
from latentvqa.engine.evaluation.files import write_evaluation
from latentvqa.engine.run_report.page import write_reports
from latentvqa.engine.runs.earlier import BEGUN, contents, require_usable
from latentvqa.engine.runs.evaluations import evaluation_folder
from latentvqa.engine.runs.folder import CLOSED, RunFolder, read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.lock import sole_writer
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.tracking import tracked
from latentvqa.engine.training.start import Outcome, resume, train
from latentvqa.errors import CheckpointError, DataError, LoaderError
from latentvqa.stopping import Interrupted, deferred, undisguised

_SCRATCH = (
    "the backbone is trained from scratch; for photographs pretrained weights "
    "(vision.pretrained = true, or a weights file) usually bring far more"
)


@dataclass(frozen=True)
class Run:
    """A run that came to its end.

    Attributes:
        folder: the run folder.
        header: first line of its log: the KL convention, the plan, the versions.
        records: its epochs, rising.
        diagnosis: whether the latent works, from log and latent-use test, with
            findings and advice.
        evaluation: the best checkpoint on the validation split.
        is_stopped_early: patience ran out before the planned end.
    """

    folder: Path
    header: RunHeader
    records: Sequence[EpochRecord]
    diagnosis: Diagnosis
    evaluation: Evaluation
    is_stopped_early: bool


def complete_run(
    folder: Path,
    config: Config | None,
    observer: Observer,
    *,
    is_resumed: bool = False,
    overwrite: bool = False,
    scorer: str = RULE_SCORER,
) -> Run:
    """Train into a run folder, evaluate its best checkpoint, and write the reports.

    The folder has one writer: it is held until the end.

    A run that is interrupted after its first checkpoint has its reports too, and
    can be resumed, also where only the evaluation is missing.

    Args:
        folder: the run folder; new or empty unless it is resumed or overwritten.
        config: what is trained; for a resumed run the changed configuration, or
            None for its own.
        observer: receives notices, progress, epochs and results.
        is_resumed: continue the run in the folder from its ``last`` checkpoint.
        overwrite: an earlier run in the folder gives way to the new one.
        scorer: the ``teacher.scorer`` that the user names for a resumed run.

    Raises:
        ConfigError: if a resumed run would change keys that must stay, or names a
            scorer that the user does not.
        CheckpointError: if another process writes into the folder.
        LatentVQAError: for anything wrong with data, backbone, checkpoint or disk.
        Interrupted: at a signal, after what could be saved was saved.
    """
    if config is None and not is_resumed:
        raise ValueError("a new run needs a configuration")
    held = _resumed_run if is_resumed else _new_run
    with held(folder, observer, overwrite=overwrite), ExitStack() as within:
        earlier = None if is_resumed else _log_of(folder)
        observer = within.enter_context(tracked(folder, config or read_config(folder), observer))
        try:
            with undisguised():
                if is_resumed or config is None:
                    outcome = resume(folder, config, observer, scorer=scorer)
                else:
                    outcome = _trained(folder, config, observer, overwrite=overwrite)
                observer.trained(outcome.header, outcome.records)
                evaluation = _evaluated(folder, observer)
        except (Interrupted, DataError, LoaderError):
            with deferred():
                is_begun = _log_of(folder) != earlier  # else an earlier run stays as it was
                if is_begun and RunFolder(folder).last.exists():
                    write_reports(folder, observer.notice)
            raise
        # shown before a disk that is full can take it away
        observer.evaluated(evaluation)
        diagnosis = _judged(outcome, evaluation, read_config(folder).kl_health)
        observer.judged(diagnosis)
        with deferred():
            write_evaluation(evaluation, evaluation_folder(folder))
            write_reports(folder, observer.notice)
    return Run(
        folder=folder,
        header=outcome.header,
        records=outcome.records,
        diagnosis=diagnosis,
        evaluation=evaluation,
        is_stopped_early=outcome.is_stopped_early,
    )


def _log_of(folder: Path) -> tuple[int, int] | None:
    """What tells the log of one run from that of the next in its folder."""
    try:
        known = RunFolder(folder).log.stat()
    except OSError:
        return None
    return known.st_ino, known.st_mtime_ns


@contextmanager
def _new_run(folder: Path, observer: Observer, *, overwrite: bool) -> Iterator[None]:
    """Hold a folder for a new run; where none came to be, an empty one goes."""
    folder.mkdir(CLOSED, parents=True, exist_ok=True)
    is_empty = not contents(folder)
    try:
        _require_text(folder)
        with sole_writer(folder, observer.notice) as lock:
            require_usable(folder, "" if lock is None else lock.left, overwrite=overwrite)
            if lock is not None:
                lock.add(BEGUN)
            yield
    finally:
        if is_empty:
            with suppress(OSError):
                folder.rmdir()


def _require_text(folder: Path) -> None:
    """Refuse a name below which the library of the weights reads nothing."""
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"{folder}: the name holds bytes that are no text in UTF-8, and no checkpoint could be "
            "read below it. Rename the folder, or name another one."
        ) from error


@contextmanager
def _resumed_run(folder: Path, observer: Observer, *, overwrite: bool) -> Iterator[None]:
    """Hold the folder of a run."""
    if overwrite:
        raise ValueError("a run is resumed or overwritten")
    read_config(folder)  # names the folder if it is no run
    with sole_writer(folder, observer.notice):
        yield


def _trained(folder: Path, config: Config, observer: Observer, *, overwrite: bool) -> Outcome:
    observer.notice(f"run folder: {folder}")
    vision = config.vision
    if vision.pretrained is False and not vision.blind and config.data.scenes is None:
        observer.notice(_SCRATCH)
    return train(config, folder, observer, overwrite=overwrite)


def _judged(outcome: Outcome, evaluation: Evaluation, limits: KLHealthThresholds) -> Diagnosis:
    """The verdict from the log and the latent-use test together."""
    use = evaluation.result.latent_use
    test = None if use is None else use.verdict
    return diagnose(outcome.header, outcome.records, limits, test=test)


def _evaluated(folder: Path, observer: Observer) -> Evaluation:
    return evaluate(
        load_model(folder),
        validation_table(folder),
        observer,
        run=folder,
        skip_bad_images=True,
        latent_use="short",
        limits=read_config(folder).latent_use,
        is_calibrating=True,
    )
