"""``latentvqa report``: the page of a run, made anew from what its folder still holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentvqa.engine.answer_samples import Answers
    from latentvqa.history import History
    from latentvqa.report.judged_run import JudgedRun
    from latentvqa.report.page import RunReport

SAMPLES = 12
Notice = Callable[[str], None]


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, RUN/last or RUN/best.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write there; default: RUN/report.html."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, max=60, help="Answered questions to show; 0: none.")
    ] = SAMPLES,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Make report.html anew: curves, epochs, findings, config, answers with their images."""
    from latentvqa.history import read_history

    history = read_history(run)

    def answer() -> Answers:
        return _predict(history.path.parent, device)

    page = _page(history, samples, _warn, answer)
    target = history.path.parent / "report.html" if out is None else out
    _save(target, page)
    typer.echo(f"written to {target}")


def write_reports(run: Path, notice: Notice) -> None:
    """Write ``report.html`` and ``curves.png`` of a run; predicts nothing.

    Args:
        run: the run folder; without an epoch in its log nothing is written.
        notice: hears what the page lacks.
    """
    from latentvqa.durable import replace_file
    from latentvqa.history import read_history
    from latentvqa.report.plots import curves_png

    history = read_history(run)
    if history.records:
        _save(run / "report.html", _page(history, SAMPLES, notice))
        replace_file(run / "curves.png", curves_png(_judged(history)))


def _page(
    history: History, samples: int, notice: Notice, answer: Callable[[], Answers] | None = None
) -> str:
    from latentvqa.report.page import RunReport, render_report

    run, judged = history.path.parent, _judged(history)
    config = run / "config.toml"
    text = config.read_text(encoding="utf-8", errors="replace") if config.is_file() else None
    if text is None:
        notice("warning: no config.toml in the run folder: the page shows no configuration")
    bare = RunReport(judged, text)
    if samples == 0 or not history.records:
        return render_report(bare)
    return render_report(_with_samples(bare, samples, notice, answer))


def _with_samples(
    page: RunReport, count: int, notice: Notice, answer: Callable[[], Answers] | None
) -> RunReport:
    """The page with answers, or as it is where none can be had."""
    from dataclasses import replace

    from latentvqa.engine.answer_samples import samples_note, samples_of
    from latentvqa.engine.run_folder import read_config
    from latentvqa.errors import LatentVQAError

    run = page.run.history.path.parent
    try:
        data = read_config(run).data
    except LatentVQAError as error:
        notice(f"warning: the page shows no answers: {error}")
        return page
    answers = _answers(run, notice, answer)
    if answers is None:
        return page
    samples, faults = samples_of(answers, count, data)
    if faults:
        notice(
            f"warning: {len(faults)} of {len(samples)} answers are shown without their image: "
            f"{faults[0]}"
        )
    return replace(page, samples=samples, samples_note=samples_note(answers, samples))


def _answers(run: Path, notice: Notice, answer: Callable[[], Answers] | None) -> Answers | None:
    """Written answers of the best checkpoint, else new ones, else written ones of another."""
    from latentvqa.engine.answer_samples import written_answers
    from latentvqa.errors import LatentVQAError

    written: Answers | None = None
    try:
        written = written_answers(run)
    except LatentVQAError as error:
        notice(f"warning: {error}")
    best = run / "best"
    if written is not None and best.is_file() and written.checkpoint == best.read_text().strip():
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


def _predict(run: Path, device: str) -> Answers:
    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.answering import predicted_answers
    from latentvqa.engine.interruption import Interrupted, StopFlag

    with ProgressLine() as line, StopFlag() as stop:
        try:
            return predicted_answers(run, NoticeObserver(line), device=device, poll=stop.poll)
        except Interrupted as interrupted:
            raise typer.Exit(interrupted.exit_code) from interrupted


def _judged(history: History) -> JudgedRun:
    from latentvqa.core.diagnosis import diagnose
    from latentvqa.core.threshold_overrides import resolved_thresholds
    from latentvqa.report.judged_run import JudgedRun

    thresholds, notes = resolved_thresholds(history.header.thresholds)
    told = (*history.notes, *notes)
    return JudgedRun(
        history, diagnose(history.header, history.records, thresholds, told), thresholds
    )


def _save(path: Path, page: str) -> None:
    from latentvqa.durable import replace_file
    from latentvqa.errors import HistoryError

    try:
        replace_file(path, page.encode("utf-8", "replace"))
    except OSError as error:
        raise HistoryError(f"cannot write {path}: {error.strerror}") from error


def _warn(text: str) -> None:
    typer.echo(text, err=True)
