"""``latentvqa diagnose-kl``: judge runs from their logs alone, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import typer

from latentvqa.cli.diagnosis_output import DiagnosisOutput, OutputFormat

FINDINGS_EXIT_CODE = 3


class FailOn(StrEnum):
    """From which level on open findings fail the command."""

    warning = "warning"
    critical = "critical"


def diagnose_kl(
    run: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN_OR_LOG",
            help="Run folders, RUN/last, RUN/best, metrics.jsonl files, or logs of other tools: "
            "CSV, TSV, JSON lines, Lightning, trainer_state.json, TensorBoard, plain text.",
        ),
    ] = None,
    *,
    output_format: Annotated[
        OutputFormat,
        typer.Option("--format", metavar="FORMAT", help="table, json, markdown or html."),
    ] = OutputFormat.table,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            metavar="LEVEL",
            help="warning or critical: exit with 3 where open findings reach it.",
        ),
    ] = None,
    what_if: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            metavar="free_bits=X",
            help="What X nats of free bits would have cost at the last epoch (static).",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Replace a threshold (kl_health.KEY) or tell what the log does not: "
            "kl.reduction, kl.free_bits, kl.factor, kl.max_weight, latent.tokens, latent.dims.",
        ),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="CODE", help="Say what a rule means and why, as KL004; no RUN."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="TOML of the run: its kl, latent, teacher and kl_health win over the log.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="What a column of another tool's log holds, as in kl_raw=train/kl.",
        ),
    ] = None,
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(
            "--steps-per-epoch", metavar="N", help="Turn steps into epochs where the log has none."
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            metavar="NAME",
            help="Read plain text by a pattern: pytorch-vae, key-value or key-space.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the curves too, into .svg or .png."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow a log that grows, until Ctrl-C or its end.")
    ] = False,
    all_epochs: Annotated[
        bool, typer.Option("--all-epochs", help="Show every epoch of a long run.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of --out and --plot.")
    ] = False,
) -> None:
    """Say from the log whether the latent works, and why; compare several runs.

    Example: latentvqa diagnose-kl lightning_logs/version_0/metrics.csv
    """
    from latentvqa.core.diagnosis.diagnose import diagnose
    from latentvqa.core.diagnosis.threshold_overrides import free_bits_to_try, resolved_thresholds
    from latentvqa.core.diagnosis.what_if import what_if_free_bits
    from latentvqa.engine.runs.latent_use import latent_use_of_log
    from latentvqa.errors import ConfigError
    from latentvqa.logs import log_options, read_log
    from latentvqa.report.diagnosis.judged_run import JudgedRun

    if explain is not None:
        _explain(explain, overrides or ())
        return
    if not run:
        raise ConfigError("name a run folder or a log to diagnose, or a rule with --explain CODE")
    free_bits = None if what_if is None else free_bits_to_try(what_if)
    output = DiagnosisOutput(output_format, out, plot, is_whole=all_epochs, overwrite=overwrite)
    output.require_possible(runs=len(run), is_watched=watch, inputs=_inputs(run, config))
    options, limits = log_options(
        maps=maps or (),
        steps_per_epoch=steps_per_epoch,
        pattern=pattern,
        config=config,
        overrides=overrides or (),
    )
    options = replace(options, is_growing=watch)

    def judge(path: Path) -> JudgedRun:
        history = read_log(path, options)
        header, records = history.header, history.records
        thresholds, notes = resolved_thresholds(header.thresholds, limits)
        test, lost = latent_use_of_log(history)
        known = (*history.notes, *notes, *lost)
        found = diagnose(header, records, thresholds, known, test)
        tried = None
        if free_bits is not None:
            tried = what_if_free_bits(header, records, free_bits, thresholds)
        return JudgedRun(history, found, thresholds, tried)

    if watch:
        from latentvqa.cli.watching import watch_log

        last = watch_log(run[0], judge)
        if last is None:
            raise typer.Exit(0 if fail_on is None else 1)
        judged = [last]
    else:
        judged = [judge(path) for path in run]
    output.write(judged, is_watched=watch)
    if fail_on is not None and any(one.diagnosis.is_at_least(fail_on.value) for one in judged):
        raise typer.Exit(FINDINGS_EXIT_CODE)


def _inputs(runs: Sequence[Path], config: Path | None) -> list[Path]:
    """What is read, and so never written: logs, all files of their folders, the configuration."""
    from latentvqa.engine.runs.folder import RunFolder
    from latentvqa.history import log_path

    found = [*runs, *([] if config is None else [config])]
    for run in runs:
        log = log_path(run)
        found += [log, *RunFolder(log.parent).own_files()]
        if run.is_dir() and not log.exists():  # a folder that another tool logged to
            found += run.rglob("*")
    return found


def _explain(code: str, overrides: Sequence[str]) -> None:
    from latentvqa.core.diagnosis.explanations import WIDTH, explained
    from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds

    thresholds, _ = resolved_thresholds({}, overrides)
    width = min(WIDTH, get_terminal_size().columns)
    typer.echo(explained(code, thresholds, width))
