"""``latentvqa train``: train, resume, or say what would be trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentvqa.cli.console import TrainingConsole
    from latentvqa.config import Config
    from latentvqa.engine.training.start import Outcome

_QUICKSTART = "quickstart"


def train(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="TOML configuration.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Start from a shipped preset.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replace a key, as kl.free_bits=0.05."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Run folder; default runs/NAME, NAME-2, ..."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="DIR", help="Continue this run exactly."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run in --out.")
    ] = False,
    advise: Annotated[
        bool, typer.Option("--advise", help="Show after each epoch what the rules suggest.")
    ] = False,
    auto_tune: Annotated[
        bool,
        typer.Option(
            "--auto-tune", help="Apply the suggestions, one at a time, recorded and undone if idle."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, print the plan, train nothing."),
    ] = False,
) -> None:
    """Train a model. Without arguments: a small one on generated scenes."""
    from latentvqa.config import config_warnings, load_config
    from latentvqa.errors import ConfigError

    overrides = [*(overrides or []), *(["run.auto_tune=true"] if auto_tune else [])]
    if overwrite and out is None:
        raise ConfigError("--overwrite replaces the run in --out: name that folder")
    if resume is not None:
        if dry_run:
            raise ConfigError("--dry-run tells the plan of a new run: drop --resume")
        if config is not None or preset is not None or out is not None or overwrite:
            raise ConfigError(
                "--resume continues with the run's own configuration: drop --config, --preset, "
                "--out and --overwrite; what may change is given by --set"
            )
        _resume(resume, overrides, advise)
        return
    if config is None and preset is None and not _names_data(overrides):
        preset = _QUICKSTART
    settings = load_config(config, preset=preset, overrides=overrides)
    for warning in config_warnings(settings):
        print(f"warning: {warning}", file=sys.stderr)
    if dry_run:
        _dry_run(settings)
        return
    name = config.stem if config is not None else preset or "run"
    _train(settings, name, out, overwrite=overwrite, advise=advise)


def _names_data(overrides: list[str]) -> bool:
    return any(text.startswith(("data.train", "data.scenes")) for text in overrides)


def _train(settings: Config, name: str, out: Path | None, *, overwrite: bool, advise: bool) -> None:
    from latentvqa.cli.console import TrainingConsole
    from latentvqa.engine.runs.folder import new_run_folder
    from latentvqa.engine.runtime.signals import Interrupted
    from latentvqa.engine.training.start import train as run_training

    run = new_run_folder(name, out, overwrite=overwrite)
    console = TrainingConsole(advise=advise)
    console.notice(f"run folder: {run}")
    vision = settings.vision
    if vision.pretrained is False and not vision.blind and settings.data.scenes is None:
        console.notice(
            "the backbone is trained from scratch; for photographs pretrained weights "
            "(vision.pretrained = true, or a weights file) usually bring far more"
        )
    try:
        with console:
            outcome = run_training(settings, run, console)
    except Interrupted as interrupted:
        _leave(run, console, interrupted.exit_code)
    _conclude(outcome, console)


def _resume(run: Path, overrides: list[str], advise: bool) -> None:
    from latentvqa.cli.console import TrainingConsole
    from latentvqa.config import load_config
    from latentvqa.engine.runs.folder import CONFIG_FILE, read_config, run_of
    from latentvqa.engine.runtime.signals import Interrupted
    from latentvqa.engine.training.start import resume as resume_training

    run = run_of(run)
    read_config(run)  # names the folder if it is no run
    settings = load_config(run / CONFIG_FILE, overrides=overrides) if overrides else None
    console = TrainingConsole(advise=advise)
    try:
        with console:
            outcome = resume_training(run, settings, console)
    except Interrupted as interrupted:
        _leave(run, console, interrupted.exit_code)
    _conclude(outcome, console)


def _dry_run(settings: Config) -> None:
    import tempfile

    from latentvqa.cli.console import TrainingConsole, plan_lines
    from latentvqa.engine.runtime.observer import Plan
    from latentvqa.engine.runtime.signals import Interrupted
    from latentvqa.engine.training.start import dry_run

    class Listener(TrainingConsole):
        plan: Plan | None = None

        def planned(self, plan: Plan) -> None:
            self.plan = plan

    listener = Listener()
    with listener, tempfile.TemporaryDirectory() as folder:
        try:
            seconds = dry_run(settings, Path(folder), listener)
        except Interrupted as interrupted:
            raise typer.Exit(interrupted.exit_code) from interrupted
    if listener.plan is not None:
        typer.echo("\n".join(plan_lines(listener.plan, seconds)))


def _leave(run: Path, console: TrainingConsole, exit_code: int) -> None:
    from latentvqa.engine.run_report.page import write_reports

    if (run / "last").exists():
        write_reports(run, console.notice)
        console.notice(f"interrupted; saved. Continue with: latentvqa train --resume {run}")
    else:
        console.notice("interrupted before the first batch; nothing to save")
    raise typer.Exit(exit_code)


def _conclude(outcome: Outcome, console: TrainingConsole) -> None:
    """Final table, verdict and validation score on stdout, reports into the folder."""
    from rich.console import Console

    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.evaluation.evaluate import evaluate
    from latentvqa.engine.evaluation.files import evaluation_json, write_evaluation
    from latentvqa.engine.run_report.page import write_reports
    from latentvqa.engine.runs.folder import evaluation_folder
    from latentvqa.engine.runs.loading import load_model
    from latentvqa.engine.runs.tables import validation_table
    from latentvqa.report.diagnosis.tables import epoch_table, verdict_panel
    from latentvqa.report.evaluation.scores import score_panel

    screen = Console()
    screen.print(epoch_table(outcome.header, outcome.records, screen.width))
    screen.print(verdict_panel(outcome.diagnosis))
    with ProgressLine() as line:
        loaded = load_model(outcome.run)
        found = evaluate(
            loaded,
            validation_table(outcome.run),
            NoticeObserver(line),
            run=outcome.run,
            skip_bad_images=True,
            latent_use="short",
            is_calibrating=True,
        )
    write_evaluation(found, evaluation_folder(outcome.run))
    screen.print(score_panel(evaluation_json(found), screen.width))
    write_reports(outcome.run, console.notice)
    if outcome.is_stopped_early:
        console.notice("stopped early: no better validation loss within the patience")
    screen.print(
        f"best: {outcome.run / 'best'}   report: {outcome.run / 'report.html'}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
