"""``report.html`` and ``curves.png`` of a run, with sample answers where they can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
from latentvqa.core.figures import counted
from latentvqa.durable import replace_file
from latentvqa.engine.run_report.results import table_results
from latentvqa.engine.run_report.samples import (
    Answers,
    samples_note,
    samples_of,
    written_answers,
)
from latentvqa.engine.run_report.training_samples import training_samples
from latentvqa.engine.runs.folder import BEST, RunFolder, edited_notes, read_config
from latentvqa.engine.runs.latent_use import latent_use_of_log
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint
from latentvqa.errors import LatentVQAError
from latentvqa.history import History, read_history
from latentvqa.regular_files import read_regular_text
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.picture import curves_png
from latentvqa.report.page.document import RunReport, render_report

SAMPLES = 12  # answers that a page shows
Notice = Callable[[str], None]


def write_reports(run: Path, notice: Notice) -> None:
    """Write ``report.html`` and ``curves.png`` of a run; predicts nothing.

    Args:
        run: the run folder; without an epoch in its log nothing is written.
        notice: called with what the page lacks.
    """
    history, places = read_history(run), RunFolder(run)
    if history.records:
        page = run_page(history, SAMPLES, notice)
        replace_file(places.report, page.encode("utf-8", "replace"))
        replace_file(places.curves, curves_png(_judged(history)))


def run_page(
    history: History, samples: int, notice: Notice, answer: Callable[[], Answers] | None = None
) -> str:
    """The page of a run, as :func:`run_report` finds it."""
    return render_report(run_report(history, samples, notice, answer))


def run_report(
    history: History, samples: int, notice: Notice, answer: Callable[[], Answers] | None = None
) -> RunReport:
    """What the page of a run shows.

    Args:
        history: its log, read from its folder.
        samples: most answers that are shown.
        notice: called with what the page lacks.
        answer: answers anew where none are written; None to show written ones only.
    """
    run, judged = history.path.parent, _judged(history)
    notice = _once(notice)
    config = RunFolder(run).config
    text = read_regular_text(config, errors="replace") if config.is_file() else None
    if text is None:
        notice(f"warning: no {config.name} in the run folder: the page shows no configuration")
    for note in edited_notes(run):
        notice(f"warning: {note}")
    bare = RunReport(judged, text, results=table_results(run, notice))
    if samples == 0 or not history.records:
        return bare
    return _with_samples(bare, samples, notice, answer)


def _once(notice: Notice) -> Notice:
    """Says nothing twice: a file that is damaged is met by more than one reader."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if text not in told:
            told.add(text)
            notice(text)

    return tell


def _with_samples(
    page: RunReport, count: int, notice: Notice, answer: Callable[[], Answers] | None
) -> RunReport:
    """The page with answers, those while it trained first, or as it is where none can be had."""
    run = page.run.history.path.parent
    data, fault = None, ""
    try:
        data = read_config(run).data
    except LatentVQAError as error:
        fault = f"warning: the page shows no answers: {error}"
    trained, note = training_samples(run, data, notice)
    page = replace(page, training=trained, training_note=note)
    if data is None:
        notice(fault)
        return page
    answers = _answers(run, notice, answer)
    if answers is None:
        return page
    samples, faults = samples_of(answers, count, data)
    if faults:
        notice(
            f"warning: {len(faults)} of {counted(len(samples), 'answer')} shown without the image: "
            f"{faults[0]}"
        )
    return replace(page, samples=samples, samples_note=samples_note(answers, samples))


def _answers(run: Path, notice: Notice, answer: Callable[[], Answers] | None) -> Answers | None:
    """Written answers of the best checkpoint, else new ones, else written ones of another."""
    written: Answers | None = None
    try:
        written = written_answers(run)
    except LatentVQAError as error:
        notice(f"warning: {error}")
    if written is not None and written.checkpoint == pointed_checkpoint(run, BEST):
        return written
    if answer is None:
        return written
    try:
        return answer()
    except LatentVQAError as error:
        lack = "the page shows no answers"
        if written is not None:
            lack = f"the page shows the answers of checkpoint {written.checkpoint}"
        notice(f"warning: {lack}: {error}")
        return written


def _judged(history: History) -> JudgedRun:
    thresholds, notes = resolved_thresholds(history.header.thresholds)
    test, lost = latent_use_of_log(history)
    known = (*history.notes, *notes, *lost)
    found = diagnose(history.header, history.records, thresholds, known, test)
    return JudgedRun(history, found, thresholds)
