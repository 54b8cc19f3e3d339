"""``latentvqa train``: train, resume, or say what would be trained."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.cli.column_options import ColumnOption, column_overrides
from latentvqa.cli.preset_option import PresetOption
from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.config import Config


def train(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="TOML configuration.")
    ] = None,
    preset: PresetOption = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replace a key, as kl.free_bits=0.05."),
    ] = None,
    columns: ColumnOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Run folder; default runs/NAME, NAME-2, ..."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="DIR", help="Continue this run exactly."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Begin with the weights of this run."),
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
    """Train a model. Without arguments: a small one on generated scenes.

    Example: latentvqa train --config run.toml --set kl.free_bits=0.05
    """
    from latentvqa.config import choose_config, config_warnings
    from latentvqa.errors import ConfigError
    from latentvqa.python_process import refuse_copies

    refuse_copies()
    overrides = [
        *(overrides or []),
        *column_overrides(columns),
        *(["run.auto_tune=true"] if auto_tune else []),
    ]
    if overwrite and out is None:
        raise ConfigError("--overwrite replaces the run in --out: name that folder")
    if resume is not None:
        if dry_run:
            raise ConfigError("--dry-run shows the plan of a new run: drop --resume")
        if any(one is not None for one in (config, preset, out, source)) or overwrite:
            raise ConfigError(
                "--resume continues with the run's own configuration: drop --config, --preset, "
                "--from, --out and --overwrite; what may change is given by --set"
            )
        _resume(resume, overrides, advise)
        return
    if source is None:
        settings, name = choose_config(config, preset=preset, overrides=overrides)
    else:
        settings, name = _started(source, config, preset, overrides)
    for warning in config_warnings(settings):
        say(f"warning: {warning}", is_notice=True)
    from latentvqa.data.table_files import require_table

    for table in (settings.data.train, settings.data.val):
        if table is not None:
            require_table(table)  # before the seconds that PyTorch takes
    if dry_run:
        _dry_run(settings)
        return
    # loading takes seconds, and a signal meanwhile leaves no empty folder behind
    import_module("latentvqa.engine.complete_run")
    from latentvqa.engine.runs.folder import new_run_folder

    _complete(new_run_folder(name, out), settings, overwrite=overwrite, advise=advise)


def _complete(
    run: Path,
    settings: Config | None,
    *,
    is_resumed: bool = False,
    overwrite: bool = False,
    advise: bool,
    scorer: str = "",
) -> None:
    """Train or resume, showing what happens; reports and scores are written on the way."""
    from latentvqa.cli.console import TrainingConsole
    from latentvqa.engine.complete_run import complete_run
    from latentvqa.engine.runs.folder import RunFolder
    from latentvqa.stopping import Interrupted, undisguised

    console, places = TrainingConsole(advise=advise), RunFolder(run)
    try:
        with undisguised(), console:
            done = complete_run(
                run, settings, console, is_resumed=is_resumed, overwrite=overwrite, scorer=scorer
            )
    except Interrupted:
        if places.last.exists():
            console.notice(f"interrupted; saved. Continue with: latentvqa train --resume {run}")
        else:
            console.notice("interrupted before the first batch; nothing to save")
        raise
    if done.is_stopped_early:
        console.notice("stopped early: no better validation loss within the patience")
    console.result(f"best: {places.best}   report: {places.report}")
    console.notice(f"ask it: latentvqa predict {quote(str(run))} PICTURE --question TEXT")


def _resume(run: Path, overrides: list[str], advise: bool) -> None:
    from latentvqa.config import choose_resumed
    from latentvqa.engine.runs.folder import read_config, run_of

    run = run_of(run)
    known = read_config(run)  # names the folder if it is no run
    settings, scorer = choose_resumed(known, overrides)
    _complete(run, settings, is_resumed=True, advise=advise, scorer=scorer)


def _started(
    source: Path, config: Path | None, preset: str | None, overrides: list[str]
) -> tuple[Config, str]:
    """The configuration of a run that begins with the weights of another, and its name."""
    from latentvqa.config import choose_started
    from latentvqa.engine.runs.folder import read_config, run_of

    run = run_of(source)
    known = read_config(run)  # names the folder if it is no run
    settings = choose_started(known, source, config, preset=preset, overrides=overrides)
    return settings, run.name


def _dry_run(settings: Config) -> None:
    import tempfile

    from latentvqa.cli.console import TrainingConsole
    from latentvqa.cli.plan_lines import plan_lines
    from latentvqa.engine.runtime.observer import TrainingPlan
    from latentvqa.engine.training.start import dry_run

    class Listener(TrainingConsole):
        plan: TrainingPlan | None = None

        def planned(self, plan: TrainingPlan) -> None:
            self.plan = plan

    listener = Listener()
    with listener, tempfile.TemporaryDirectory() as folder:
        seconds = dry_run(settings, Path(folder), listener)
    if listener.plan is not None:
        say("\n".join(plan_lines(listener.plan, seconds)), is_prose=True)
